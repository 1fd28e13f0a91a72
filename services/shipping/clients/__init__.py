"""Whom shipping calls.

`carrier.py` is the carrier behind its circuit breaker, `labels.py` speaks an interface of the simulator's kind, and `notices.py`
reads what it tells of by itself. `catalog.py` asks what is to be shipped.
"""

from services.shipping.clients.carrier import Carrier
from services.shipping.clients.catalog import CATALOG, Catalog
from services.shipping.clients.notices import door

__all__ = ["CATALOG", "Carrier", "Catalog", "door"]
