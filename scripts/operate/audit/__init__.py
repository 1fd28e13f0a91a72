"""The auditor: do orders, money and stock agree? It reads the services' databases and changes nothing.

python -m scripts.operate.audit    with ORDER_, PAYMENT_ and INVENTORY_DATABASE_URL set (`make audit` takes them from .souk/env)

What each database must hold by itself is asked in one statement, which sees one moment. What two of them must agree on is
asked of orders that came to rest some time ago, and asked again before it is reported: so a shop may be audited while it runs.

Read in this order: `cases.py` (what must hold of an order), `books.py` (where it stands), `__main__.py`. The bench asks the same
of a shop at rest, and the tests ask it of the orders that they placed (tests/support/audit.py).
"""
