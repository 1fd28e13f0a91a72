"""Warehouses, stock and what of it is promised to orders.

Owns: warehouses, stock (on hand and reserved, per SKU and warehouse) and its thresholds (below how many a SKU is low),
reservations (what an order holds), movements (every change of what is on hand, append-only; their sum is the stock), and goods
on their way: transfers between warehouses and restock orders at suppliers.

A reservation: HELD -> COMMITTED (the order was confirmed), RELEASED (it was cancelled) or EXPIRED (the hold ended);
COMMITTED -> RETURNED when a confirmed order is cancelled after all. Goods on their way: UNDER_WAY -> ARRIVED, ENDED or
RETURNED_TO_SOURCE.

What customers send back and can be sold again is a movement; returns_shelved has a row for each return it was done for.

Consumes `orders`, publishes `inventory`.

Read in this order: `events.py` (an order's fact comes in), `usecases/` (a batch: lock, decide, write; and what people do),
`domain/` (who gets what from where, and the rules of stock), `store/` (the rows), `rpc.py` (reading and correcting stock),
`atlas.py` (where addresses are), `main.py` (put together).
"""
