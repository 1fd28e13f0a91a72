"""Recommendation: what goes with a product, what trends, and what somebody might like.

A read model: it owns nothing that is not elsewhere, and can be made anew at any time. Owns: products and SKUs (as they are
recommended), levels (stock), baskets (confirmed orders of about the last half year), counts (orders by product and by pair of
products, in two slots: the one that is read, and one that is being made), forgotten (whose orders are nobody's).

The model: PRODUCTS -> STOCK -> ORDERS -> READY while it is made anew; events are counted meanwhile, in both slots where both have
reached them. An order waits while one of its SKUs is not known, and counts when it is.

Consumes `orders` (OrderConfirmed), `catalog` (ProductChanged, ProductDeleted) and `inventory` (StockLevelChanged), publishes
nothing. Calls catalog and inventory to make the model anew.

Read in this order: `rpc.py` (somebody asks), `usecases/recommending.py` (what is answered), `domain.py` (the rules: what goes
together, what trends, who is shown what), `weights.py` (the statistics); then `events.py` (something happened),
`usecases/learning.py` (what is counted), `usecases/building.py` (the model made anew), `store/` (the rows), `clients.py` (what a
build reads), `main.py` (put together).
"""
