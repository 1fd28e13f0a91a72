"""Products, their variants (SKUs), prices and categories.

Owns: categories (a tree, and what products of each must say), products, variants and uploaded images. A SKU is unique in
the whole shop, and for ever: a product that is deleted, or no longer offers it, keeps it. Stock belongs to inventory: the
catalog only checks that a product is the caller's before it passes a correction on.

States: a product is made, with version 1, changed by who read its version, and deleted: then it is kept as a tombstone, which
old orders can show. Publishes `catalog`, and consumes it too, so that its caches forget what changed; of `orders` it learns
what is popular. Calls inventory for stock.

Read in this order: `rpc.py` (a call comes in), `usecases/` (what it means), `domain/` (the values and rules),
`store/` (the rows, and the same in the cache), `clients/` (inventory, and the bucket of images), `events.py` (what goes
out and comes back), `main.py` (put together). In each room the module of the room's own name is about products; attribute
schemas, images, files of products (`bulk`), prices over time and popularity have a module of their own beside it.
"""
