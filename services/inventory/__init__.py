"""Warehouses, stock and what of it is promised to orders.

Owns: warehouses, stock (on hand and reserved, per SKU and warehouse) and its thresholds (below how many a SKU is low),
reservations (what an order holds) and movements (every change of what is on hand, append-only; their sum is the stock).

A reservation: HELD -> COMMITTED (the order was confirmed), RELEASED (it was cancelled) or EXPIRED (the hold ended);
COMMITTED -> RETURNED when a confirmed order is cancelled after all.

Consumes `orders`, publishes `inventory`.

Read in this order: `events.py` (an order's fact comes in), `usecases.py` (a batch: lock, decide, write), `domain.py` (who
gets what), `store.py` (the rows), `rpc.py` (reading and correcting stock), `main.py` (put together).
"""
