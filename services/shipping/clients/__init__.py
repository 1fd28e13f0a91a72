"""Whom shipping calls.

`carrier.py` is the carrier behind its circuit breaker. What it is asked is `answers.py`; `labels.py` speaks an interface of the
simulator's kind, `easypost.py` that of EasyPost (`easypost_shapes.py`: what its JSON means). `notices.py` reads what either
tells of by itself. `catalog.py` asks what is to be shipped.
"""

from services.shipping.clients.carrier import Carrier, unweighed
from services.shipping.clients.catalog import CATALOG, Catalog
from services.shipping.clients.notices import door

__all__ = ["CATALOG", "Carrier", "Catalog", "door", "unweighed"]
