"""Applications to become a vendor, pure: what they say, and what may become of them."""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.chassis import errors

FIELDS = ("shop_name", "legal_name", "country", "tax_number", "contact")


class State(StrEnum):
    """Where an application is. The words are those of the contract and of SQL."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody says who wants to sell."""

    shop_name: str
    legal_name: str
    country: str
    tax_number: str = field(repr=False)
    contact: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Application:
    """An application. decide_time is when it was approved, rejected or withdrawn."""

    id: str
    user_id: str
    draft: Draft
    create_time: datetime
    state: State = State.PENDING
    decide_time: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VendorApplicationDecided:
    """An application was approved or rejected."""

    application: Application


@dataclass(frozen=True, slots=True)
class Decision:
    """What an administrator decides of an application: APPROVED or REJECTED, and why."""

    application_id: str
    admin_id: str
    state: State
    reason: str = ""


def decided(application: Application, state: State, reason: str, now: datetime) -> Application:
    """The application when that was decided; as it is when the same was decided before. Raises VENDOR_APPLICATION_DECIDED."""
    if application.state is state:
        return application
    if application.state is not State.PENDING:
        raise _was_decided(application.state)
    return dataclasses.replace(application, state=state, decide_time=now, reason=reason)


def _was_decided(state: State) -> errors.DomainError:
    said = f"the application is {state}"
    return errors.precondition("VENDOR_APPLICATION_DECIDED", said, state=state)


def is_open() -> errors.DomainError:
    """The person has applied, and nobody has decided."""
    said = "an application of yours is not decided yet: wait, or withdraw it"
    return errors.precondition("VENDOR_APPLICATION_OPEN", said)


def is_vendor() -> errors.DomainError:
    """The person needs no application."""
    return errors.precondition("ALREADY_VENDOR", "the account has the role VENDOR")


def not_found(application_id: str = "") -> errors.DomainError:
    """There is no such application."""
    named = {"id": application_id} if application_id else {}
    return errors.not_found("VENDOR_APPLICATION_NOT_FOUND", "the application does not exist", **named)
