"""Metrics: Prometheus, one endpoint a process, the same names in every service.

The label `service` tells services apart that share a process. Every queue reports its depth and the age of its oldest row.
"""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

RPC_SECONDS = Histogram("souk_rpc_seconds", "Duration of calls served.", ["service", "method", "code"], buckets=SECONDS)
RPC_IN_FLIGHT = Gauge("souk_rpc_in_flight", "Calls being served.", ["service"])
EVENTS_HANDLED = Counter("souk_events_handled_total", "Events handled for the first time.", ["service"])
EVENTS_REPEATED = Counter("souk_events_repeated_total", "Events that had been handled before.", ["service"])
EVENTS_PARKED = Counter("souk_events_parked_total", "Events set aside because handling failed.", ["service"])
EVENTS_DEAD = Counter("souk_events_dead_total", "Events given up and published to dead-letter.", ["service"])
BATCH_EVENTS = Histogram("souk_consumer_batch_events", "Events handled in one transaction.", ["service"], buckets=ROWS)
BATCH_SECONDS = Histogram("souk_consumer_batch_seconds", "Duration of a consumer's transaction.", ["service"])
CONSUMER_RETRIES = Counter("souk_consumer_retries_total", "Batches repeated after an outage.", ["service"])
RELAYED = Counter("souk_outbox_relayed_total", "Events published from the outbox.", ["service"])
COALESCED = Histogram("souk_coalesced_calls", "Calls accepted in one transaction.", ["service"], buckets=ROWS)
QUEUE_DEPTH = Gauge("souk_queue_depth", "Rows waiting in a queue.", ["service", "queue"])
QUEUE_AGE = Gauge("souk_queue_oldest_seconds", "Age of the oldest row waiting in a queue.", ["service", "queue"])
EFFECTS = Counter("souk_effects_total", "Calls to systems outside, by outcome.", ["service", "effect", "outcome"])


def serve(listen: str) -> None:
    """Answer Prometheus on `host:port`, from a thread of its own; nothing when it is empty."""
    if listen:
        host, _, port = listen.rpartition(":")
        start_http_server(int(port), host.strip("[]"))


ALARMS = Counter("souk_alarms_total", "Things that a person must look at.", ["service", "alarm"])
