"""The bench: how many orders a second travel from a REST call to CONFIRMED, how fast, and what they cost in CPU.

    python -m scripts.bench [--scenario NAME]... [--seconds N] [--concurrency N] [--keep]

It runs a stack of its own (`bench`: its own ports and data, begun anew each time), so it may run beside `make run`. What
it prints lies in `.souk/bench/<UTC time>.json` and `latest.json` as well. Its exit code tells whether anything was lost,
sold twice or charged wrongly; never whether it was fast.

Scenarios: `sustained` (as many orders as the shop takes), `half` (at half that rate), `hot_sku` (thousands of orders for
500 units), `one_at_a_time` (consumers that handle one event per transaction, to show what batches give), `bare_path` (the
least that an order is, on the same servers: the floor that the product's cost is compared with). All of it takes 5 minutes.
Only when they are asked for: `search` (a mix of searches among 100,000 products whose prices and stock change; 6 minutes) and
`recommendation` (how often recommendations find what was hidden of baskets, beside popularity alone; 3 minutes).

Reading order: `scenarios` (what is done), `run` (one measurement: load, wait, look), `load` and `http1` (the generator,
a process of its own), `requests` (what it sends), `shop` (products and customers), `stack` (the processes), `cpu`,
`books` (what the databases say), `audit` (whether they agree), `figures`, `machine`, `report`; `bare` and, for
the program it runs, `bare_path`, `bare_services`, `bare_tables`; `recommendation`; `search` and, for what it runs and
sells, `search_load` and `assortment`.
"""
