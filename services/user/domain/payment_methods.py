"""The payment methods that somebody keeps: the payment provider's tokens, which stay between us and the provider."""

from dataclasses import dataclass, field
from datetime import datetime

from services.chassis import errors

MOST_METHODS = 20


@dataclass(frozen=True, slots=True)
class Method:
    """A saved payment method. Of one person's methods at most one is the default."""

    id: str
    user_id: str
    provider_token: str = field(repr=False)
    label: str
    last_digits: str
    is_default: bool
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody says of a payment method to keep."""

    provider_token: str = field(repr=False)
    label: str = ""
    last_digits: str = ""
    is_default: bool = False


def made(draft: Draft, method_id: str, user_id: str, now: datetime, *, first: bool) -> Method:
    """The payment method that a draft makes: the first of a person is the default."""
    default = draft.is_default or first
    return Method(method_id, user_id, draft.provider_token, draft.label, draft.last_digits, default, now)


def not_found(method_id: str) -> errors.DomainError:
    """The person has no such payment method."""
    return errors.not_found("PAYMENT_METHOD_NOT_FOUND", "the payment method does not exist", id=method_id)


def full() -> errors.DomainError:
    """Nobody needs so many payment methods."""
    said = f"at most {MOST_METHODS} payment methods are kept"
    return errors.precondition("PAYMENT_METHODS_FULL", said, limit=str(MOST_METHODS))
