"""The local stack: PostgreSQL, Redis, Kafka and Envoy out of wheels, a mail sink, a payment provider, a carrier, the services.

    python -m scripts.stack up|down|clean|status|logs|start|stop|restart|kill [--stack NAME] [NAME...]

Everything lives under `.souk/stacks/<stack>`. Processes run detached, each with a record (`run/<name>.json`) and a log
(`logs/<name>.log`), so that any later command finds them, and a run that was cut short is picked up where it stopped.

Reading order: `layout` (folders, ports), `settings` (what each process is told), `supervise` (how any process is started,
found and stopped), `servers` (one module for each), `plan` (all of them together), `up`, `down`, `status`, `suite` (the
tests on a stack of their own). Tests use `control` to stop, kill and start a process by its name.
`bootstrap` runs before all that, on a bare Python, and makes the virtual environment.
"""
