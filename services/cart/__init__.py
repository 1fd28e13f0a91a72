"""Cart: what users and guests mean to buy, before there is an order.

Owns: carts (lines by SKU and coupon codes, versioned, expiring), in Redis and nowhere else.

Consumes `orders`: a confirmed order takes what was ordered, and the codes that it used, out of its user's cart, a cancelled
one lets the cart be ordered again. Publishes `carts`: a user's cart was left for a day. Asks the catalog, inventory and the
order service for what it shows, the order service to check out and to re-order, for the user who calls, and the user
service for the keys of access tokens.

Read in this order: `rpc.py` (a call comes in), `events.py` (something happened), `usecases/` (load, decide, save),
`domain/` (the rules), `store.py` (one Redis value per cart, replaced only if nobody replaced it meanwhile),
`clients.py` (whom it asks), `main.py` (put together).
"""
