"""What somebody keeps with an account: addresses, payment methods, preferences.

Each write is one transaction that locks the account first, so that of two at once the later one sees what the earlier one
made. If the process dies before the commit nothing was written; after it the caller repeats with the same request id, or
repeats a change or a removal, which leaves what it left.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis import clock, database, errors, idempotency, ids
from services.user import domain, store
from services.user.domain import addresses, payment_methods, preferences
from services.user.store import addresses as address_rows
from services.user.store import payment_methods as method_rows
from services.user.store import preferences as preference_rows


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who asks for something new, and how the request is told from others; request_id is empty when it is not repeated."""

    user_id: str
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Change:
    """An address as it is to be."""

    address_id: str
    label: str
    address: addresses.Address
    is_default: bool


class _Kept(Protocol):
    @property
    def id(self) -> str:
        """Its id."""


Kept = TypeVar("Kept", bound=_Kept)


async def _lock(transaction: database.Transaction, user_id: str) -> None:
    if await store.lock(transaction, user_id) is None:
        raise domain.user_not_found(user_id)


async def _claimed(transaction: database.Transaction, who: Wanted, new_id: str) -> str:
    return await idempotency.claim_one(
        transaction, idempotency.Claim(who.user_id, who.request_id, who.fingerprint, new_id)
    )


def _only(kept: Sequence[Kept], kept_id: str, absent: errors.DomainError) -> Kept:
    """The one with this id. Raises `absent`."""
    for item in kept:
        if item.id == kept_id:
            return item
    raise absent


class AddressBook:
    """The use cases of addresses."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def list(self, user_id: str) -> Sequence[addresses.Saved]:
        """Somebody's addresses: the default first, then the newest first."""
        return await address_rows.of_user(self._db, user_id)

    async def add(self, who: Wanted, label: str, address: addresses.Address, *, is_default: bool) -> addresses.Saved:
        """Keep an address, once per request id.

        Raises USER_NOT_FOUND, ADDRESSES_FULL, REQUEST_ID_REUSED, or ADDRESS_NOT_FOUND when the request is repeated and its
        address was removed meanwhile.
        """
        now = self._now()
        new = addresses.Saved(ids.new_id(now), who.user_id, label, address, is_default, now)
        async with self._db.transaction() as transaction:
            await _lock(transaction, who.user_id)
            made = await _claimed(transaction, who, new.id)
            kept = await address_rows.of_user(transaction, who.user_id)
            if made != new.id:
                return _only(kept, made, addresses.not_found(made))
            if len(kept) >= addresses.MOST_ADDRESSES:
                raise addresses.full()
            new = dataclasses.replace(new, is_default=is_default or not kept)
            await address_rows.write(transaction, new)
        return new

    async def change(self, user_id: str, change: Change) -> addresses.Saved:
        """Replace an address. Raises ADDRESS_NOT_FOUND."""
        async with self._db.transaction() as transaction:
            await store.lock(transaction, user_id)
            kept = await address_rows.of_user(transaction, user_id)
            old = _only(kept, change.address_id, addresses.not_found(change.address_id))
            new = dataclasses.replace(old, label=change.label, address=change.address, is_default=change.is_default)
            await address_rows.write(transaction, new)
        return new

    async def remove(self, user_id: str, address_id: str) -> None:
        """Forget an address, if it is there."""
        await address_rows.delete(self._db, user_id, address_id)


class Wallet:
    """The use cases of payment methods."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def list(self, user_id: str) -> Sequence[payment_methods.Method]:
        """Somebody's payment methods: the default first, then the newest first."""
        return await method_rows.of_user(self._db, user_id)

    async def add(self, who: Wanted, draft: payment_methods.Draft) -> payment_methods.Method:
        """Keep a payment method, once per request id.

        Raises USER_NOT_FOUND, PAYMENT_METHODS_FULL, REQUEST_ID_REUSED, or PAYMENT_METHOD_NOT_FOUND when the request is
        repeated and its method was removed meanwhile.
        """
        now = self._now()
        new_id = ids.new_id(now)
        async with self._db.transaction() as transaction:
            await _lock(transaction, who.user_id)
            made = await _claimed(transaction, who, new_id)
            kept = await method_rows.of_user(transaction, who.user_id)
            if made != new_id:
                return _only(kept, made, payment_methods.not_found(made))
            if len(kept) >= payment_methods.MOST_METHODS:
                raise payment_methods.full()
            new = payment_methods.made(draft, new_id, who.user_id, now, first=not kept)
            await method_rows.write(transaction, new)
        return new

    async def make_default(self, user_id: str, method_id: str) -> payment_methods.Method:
        """Make a payment method the default. Raises PAYMENT_METHOD_NOT_FOUND."""
        async with self._db.transaction() as transaction:
            await store.lock(transaction, user_id)
            kept = await method_rows.of_user(transaction, user_id)
            method = _only(kept, method_id, payment_methods.not_found(method_id))
            new = dataclasses.replace(method, is_default=True)
            await method_rows.write(transaction, new)
        return new

    async def remove(self, user_id: str, method_id: str) -> None:
        """Forget a payment method, if it is there."""
        await method_rows.delete(self._db, user_id, method_id)

    async def resolve(self, user_id: str, method_id: str) -> str:
        """The provider's token of a method that this person saved, or of the default when none is named.

        Raises PAYMENT_METHOD_NOT_FOUND.
        """
        kept = await method_rows.of_user(self._db, user_id)
        wanted = method_id or next((method.id for method in kept if method.is_default), "")
        return _only(kept, wanted, payment_methods.not_found(method_id)).provider_token


class Preferences:
    """The use cases of preferences."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def get(self, user_id: str) -> preferences.Preferences:
        """What somebody prefers. Raises USER_NOT_FOUND."""
        found = await preference_rows.find(self._db, user_id)
        if found is None:
            raise domain.user_not_found(user_id)
        return found

    async def change(self, user_id: str, change: preferences.Change) -> preferences.Preferences:
        """Change what somebody prefers. Raises USER_NOT_FOUND or TIME_ZONE_UNKNOWN."""
        async with self._db.transaction() as transaction:
            before = await preference_rows.lock(transaction, user_id)
            if before is None:
                raise domain.user_not_found(user_id)
            after = preferences.changed(before, change)
            await preference_rows.write(transaction, user_id, after)
        return after
