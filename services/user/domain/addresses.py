"""The addresses that somebody keeps."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from services.chassis import errors

MOST_ADDRESSES = 50


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. country is ISO 3166-1 alpha-2."""

    recipient: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str


FIELDS = tuple(field.name for field in dataclasses.fields(Address))


@dataclass(frozen=True, slots=True)
class Saved:
    """An entry of an address book. Of one person's entries at most one is the default."""

    id: str
    user_id: str
    label: str
    address: Address
    is_default: bool
    create_time: datetime


def not_found(address_id: str) -> errors.DomainError:
    """The caller has no such address."""
    return errors.not_found("ADDRESS_NOT_FOUND", "the address does not exist", id=address_id)


def full() -> errors.DomainError:
    """Nobody needs so many addresses."""
    said = f"an address book holds at most {MOST_ADDRESSES} addresses"
    return errors.precondition("ADDRESSES_FULL", said, limit=str(MOST_ADDRESSES))
