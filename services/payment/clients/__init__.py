"""The payment provider: `provider` (retries, age, breaker) in front of one of two interfaces, `charges` or `stripe`.

`notices` reads what it tells of by itself.
"""

from services.payment.clients.notices import door
from services.payment.clients.provider import NEVER_ARRIVED, Provider

__all__ = ["NEVER_ARRIVED", "Provider", "door"]
