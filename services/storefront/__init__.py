"""Storefront: the pages of a shop, each with one call.

Owns nothing: a page is joined from what the catalog, inventory, promotion, search and recommendation say to anybody, or order,
payment and shipping to the user who calls. A part that cannot be had in time is left out, and named.

Consumes nothing, publishes nothing. Asks the user service for the keys of access tokens.

Read in this order: `rpc.py` (a call comes in), `usecases.py` (what a page consists of), `joining.py` (parts are asked for at
once, under one deadline), `domain.py` (the rules), `clients.py` (whom it asks), `main.py` (put together).
"""
