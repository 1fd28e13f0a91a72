"""The payment provider: `provider` (retries, age, breaker) in front of one of two interfaces, `charges` or `stripe`."""

from services.payment.clients.provider import NEVER_ARRIVED, Provider

__all__ = ["NEVER_ARRIVED", "Provider"]
