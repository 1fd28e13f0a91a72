"""The carrier: `carrier.py` has its circuit breaker, `labels.py` speaks an interface of the simulator's kind."""

from services.shipping.clients.carrier import Carrier

__all__ = ["Carrier"]
