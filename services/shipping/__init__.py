"""Parcels: how what was ordered leaves the warehouses and reaches its recipient.

Owns: deliveries (what was heard of each order), parcels (one for each warehouse that something of an order comes from) and
parcel_events (what happened to them, append-only); and rate_tables (what shipping costs, append-only: the newest holds).

States: LABELLING -> LABELLED -> PICKED -> PACKED -> HANDED_OVER -> IN_TRANSIT -> OUT_FOR_DELIVERY -> DELIVERED. An attempt that
fails is DELIVERY_FAILED, and is repeated or ends in RETURNING -> RETURNED; LOST and DAMAGED are ends too. Until the carrier has
it a parcel can be stopped: VOIDING -> STOPPED. A label that the carrier will not sell is LABEL_REFUSED.

Consumes `orders` (OrderConfirmed, OrderCancelled) and `inventory` (StockCommitted), publishes `shipments`. Calls the carrier,
outside of every transaction. Asks the user service for the keys of access tokens, and the catalog what it quotes.

Read in this order: `events.py` (something happened), `usecases/` (what it means, and the workers that call the carrier),
`domain/` (the one table of what follows what), `clients/` (the carrier and its breaker), `store/` (the rows), `rpc.py` (a
warehouse's hands, and reading), `main.py` (put together).
"""
