"""Orders, their saga and their history.

Owns: orders (what was bought, never changed), sagas (where each order is: status, what it waits for, until when) and
order_events (what happened, append-only).

States: PENDING -> RESERVED -> CONFIRMED; from any of them CANCELLING -> CANCELLED. CONFIRMED is the pivot.

Consumes `inventory`, `payments` and `promotions`, publishes `orders`. Calls the catalog for prices, promotion for discounts.

Read in this order: `rpc.py` (a call comes in), `usecases/` (what it means), `saga.py` (the one table of what follows
what), `domain.py` (the values), `store.py` (the rows), `events.py` (what goes out and comes in), `main.py` (put together).
"""
