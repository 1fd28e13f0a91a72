"""What people keep: addresses with one default, payment methods whose tokens only services see, preferences."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest
import pytest_asyncio

from services.chassis import clock, database, errors
from services.user import domain, passwords, usecases
from services.user.domain import addresses, payment_methods, preferences
from services.user.usecases import belongings

PASSWORD = "correct horse battery"
HOME = addresses.Address("Ann", "1 Market Street", "", "Springfield", "", "12345", "US")
CARD = payment_methods.Draft("pm_card_visa", "Visa", "4242")
UNKNOWN = "0190a000-0000-7000-8000-000000000000"


@pytest_asyncio.fixture
async def users(
    db: database.Database,
    accounts: usecases.Accounts,
    sessions: usecases.Sessions,
    hashing: passwords.Passwords,
) -> usecases.Users:
    return usecases.users(db, accounts, sessions, hashing, now=clock.utc_now)


@pytest_asyncio.fixture
async def ann(users: usecases.Users) -> str:
    return await registered(users)


async def registered(users: usecases.Users) -> str:
    wanted = domain.Registration(f"ann.{uuid.uuid4().hex}@example.com", PASSWORD, "Ann")
    return (await users.accounts.register(wanted)).user.id


def who(user_id: str, request_id: str = "", content: bytes = b"") -> belongings.Wanted:
    return belongings.Wanted(user_id, request_id, content)


def defaults(kept: Sequence[addresses.Saved] | Sequence[payment_methods.Method]) -> list[str]:
    return [item.id for item in kept if item.is_default]


async def test_the_first_address_is_the_default_until_another_is(users: usecases.Users, ann: str) -> None:
    book = users.addresses
    first = await book.add(who(ann), "Home", HOME, is_default=False)
    second = await book.add(who(ann), "Work", HOME, is_default=False)
    assert (first.is_default, second.is_default) == (True, False)
    change = belongings.Change(second.id, "Office", HOME, is_default=True)
    changed = await book.change(ann, change)
    kept = await book.list(ann)
    assert [item.id for item in kept] == [second.id, first.id]
    assert defaults(kept) == [second.id]
    assert (changed.label, changed.create_time) == ("Office", second.create_time)


async def test_many_defaults_at_once_leave_one(users: usecases.Users, ann: str) -> None:
    adding = (users.addresses.add(who(ann), f"{number}", HOME, is_default=True) for number in range(8))
    await asyncio.gather(*adding)
    kept = await users.addresses.list(ann)
    assert len(kept) == 8
    assert len(defaults(kept)) == 1


async def test_a_repeated_request_adds_one_address_and_another_content_is_refused(
    users: usecases.Users, ann: str
) -> None:
    book = users.addresses
    first, again = [await book.add(who(ann, "key", b"1"), "Home", HOME, is_default=False) for _ in range(2)]
    assert first == again
    with pytest.raises(errors.DomainError, match="REQUEST_ID_REUSED"):
        await book.add(who(ann, "key", b"2"), "Home", HOME, is_default=False)
    await book.remove(ann, first.id)
    with pytest.raises(errors.DomainError, match="ADDRESS_NOT_FOUND"):
        await book.add(who(ann, "key", b"1"), "Home", HOME, is_default=False)
    assert await book.list(ann) == []


async def test_a_full_address_book_refuses_one_more(users: usecases.Users, ann: str) -> None:
    for number in range(addresses.MOST_ADDRESSES):
        await users.addresses.add(who(ann), f"{number}", HOME, is_default=False)
    with pytest.raises(errors.DomainError, match="ADDRESSES_FULL"):
        await users.addresses.add(who(ann), "one more", HOME, is_default=False)


async def test_somebody_else_changes_and_removes_nothing(users: usecases.Users, ann: str) -> None:
    saved = await users.addresses.add(who(ann), "Home", HOME, is_default=False)
    method = await users.wallet.add(who(ann), CARD)
    eve = await registered(users)
    with pytest.raises(errors.DomainError, match="ADDRESS_NOT_FOUND"):
        await users.addresses.change(eve, belongings.Change(saved.id, "Mine", HOME, is_default=True))
    with pytest.raises(errors.DomainError, match="PAYMENT_METHOD_NOT_FOUND"):
        await users.wallet.make_default(eve, method.id)
    with pytest.raises(errors.DomainError, match="PAYMENT_METHOD_NOT_FOUND"):
        await users.wallet.resolve(eve, method.id)
    with pytest.raises(errors.DomainError, match="PAYMENT_METHOD_NOT_FOUND"):
        await users.wallet.resolve(eve, "")
    await users.addresses.remove(eve, saved.id)
    await users.wallet.remove(eve, method.id)
    assert await users.addresses.list(ann) == [saved]
    assert await users.wallet.list(ann) == [method]


async def test_a_payment_method_is_resolved_for_its_owner_until_it_is_removed(users: usecases.Users, ann: str) -> None:
    first = await users.wallet.add(who(ann, "key"), CARD)
    assert await users.wallet.add(who(ann, "key"), CARD) == first
    second = await users.wallet.add(who(ann), payment_methods.Draft("pm_card_amex"))
    await users.wallet.make_default(ann, second.id)
    assert defaults(await users.wallet.list(ann)) == [second.id]
    assert await users.wallet.resolve(ann, first.id) == CARD.provider_token
    assert await users.wallet.resolve(ann, "") == "pm_card_amex"
    assert CARD.provider_token not in repr(first)
    await users.wallet.remove(ann, first.id)
    with pytest.raises(errors.DomainError, match="PAYMENT_METHOD_NOT_FOUND"):
        await users.wallet.resolve(ann, first.id)


async def test_nobody_keeps_nothing(users: usecases.Users) -> None:
    with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
        await users.addresses.add(who(UNKNOWN), "Home", HOME, is_default=False)
    with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
        await users.wallet.add(who(UNKNOWN), CARD)
    with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
        await users.preferences.change(UNKNOWN, preferences.Change("en"))


async def test_preferences_that_are_left_out_stay(users: usecases.Users, ann: str) -> None:
    assert await users.preferences.get(ann) == preferences.Preferences()
    await users.preferences.change(ann, preferences.Change(language="de", time_zone="Europe/Berlin"))
    await users.preferences.change(ann, preferences.Change(currency="EUR", language=""))
    assert await users.preferences.get(ann) == preferences.Preferences("", "EUR", "Europe/Berlin")
