"""Promotions, their codes, which orders use them, and promotional prices.

Owns: promotions (terms, window, limits), codes (single ones and batches), redemptions (what orders use), promotional prices
(what products cost for a while: the catalog is told of them, and charges them).

A redemption: CLAIMED -> COMMITTED (the order was confirmed) or RELEASED (it was cancelled); COMMITTED -> RELEASED when a
confirmed order is cancelled after all. REFUSED is what an order asked for and could not have.

Consumes `orders`, publishes `promotions`. Asks the catalog what products are and cost, and the user service for the keys of
access tokens. An order without redemptions does not concern it.

Read in this order: `domain/` (the rules), `usecases/quoting.py` (what items cost), `events.py` (an order's fact comes in),
`usecases/redeeming.py` (a batch: lock, decide, write), `store.py` (the rows), `rpc.py` (quotes and administration),
`main.py` (put together).
"""
