"""Orders, their saga and their history.

Owns: orders (what was bought, never changed), sagas (where each order is: status, what it waits for, until when) and
order_events (what happened, append-only).

Returns (what came back of delivered orders) have rows and a history of their own beside them.

States: PENDING -> RESERVED -> CONFIRMED -> FULFILLING -> SHIPPED -> DELIVERED; CONFIRMED is the pivot. From any before SHIPPED
CANCELLING -> CANCELLED: since the pivot only if shipping says that nothing has left.

Consumes `inventory`, `payments`, `promotions` and `shipments`, publishes `orders`. Calls the catalog for prices, promotion for
discounts.

Read in this order: `rpc.py` (a call comes in), `usecases/` (what it means), `saga/` (the one table of what follows
what), `domain/` (the values), `store/` (the rows), `events.py` (what goes out and comes in), `main.py` (put together).
"""
