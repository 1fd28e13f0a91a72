"""Products, their variants (SKUs), prices and categories.

Owns: categories (a tree, and what products of each must say), products, variants and uploaded images. A SKU is unique in
the whole shop, and for ever: a product that is deleted, or no longer offers it, keeps it. Stock belongs to inventory: the
catalog only checks that a product is the caller's before it passes a correction on.

States: a product is made, with version 1, changed by who read its version, and deleted: then it is kept as a tombstone, which
old orders can show. Publishes `catalog`, and consumes it too, so that its caches forget what changed; of `orders` it learns
what is popular. Calls inventory for stock.

Read in this order: `rpc.py` (a call comes in), `usecases/` (what it means), `domain/` (the values and rules),
`store/` (the rows, and the same in the cache), `clients.py` (inventory), `events.py` (what goes out and comes back),
`main.py` (put together). Files of products are `bulk` in these rooms. Beside them, with the same division:
`attribute_schemas.py` and `images.py` (rules), `..._usecases.py` and `..._store.py` of each, and `object_store.py` (the
bucket).
"""
