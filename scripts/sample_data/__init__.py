"""Fills a shop with sample data: 12 categories, 247 products, stock of every SKU in two warehouses. The same every time.

    python -m scripts.sample_data

It signs in at `EDGE_URL` as `ADMIN_EMAIL` with `ADMIN_PASSWORD`, looks what is there, and makes what is missing: a second
run changes nothing, and stock that was sold stays sold. With `VENDOR_EMAIL` and `VENDOR_PASSWORD` set there is a vendor too,
whose account it makes when it is missing, with three of those products as its own.

With `CATALOG_ADDR` and `INVENTORY_ADDR` set it calls the services by gRPC with the access tokens it got; without them it goes
over REST through the edge, whose rate limits (120 changes a minute) it keeps by waiting as `Retry-After` says, for some ten
minutes in all. What the environment does not say is taken from `.souk/env`.

Exit code 0 when all is there, 1 with one line on standard error when not.

Reading order: `shop` (what there is to be), `load` (what is missing), `vendor` (who else sells), `over_grpc` and `over_rest`
(how it gets there).
"""
