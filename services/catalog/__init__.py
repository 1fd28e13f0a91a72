"""Products, their variants (SKUs), prices and categories.

Owns: categories, products and variants. A SKU is unique in the whole shop. Stock belongs to inventory: the catalog only
checks that a product is the caller's before it passes a correction on.

States: a product is made, with version 1. Consumes nothing, publishes `catalog`. Calls inventory for stock.

Read in this order: `rpc.py` (a call comes in), `usecases.py` (what it means), `domain.py` (the values and rules),
`store.py` (the rows, and the same in the cache), `clients.py` (inventory), `events.py` (what goes out), `main.py` (put
together).
"""
