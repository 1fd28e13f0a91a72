"""Where somebody is signed in: listed, ended one by one; and who changed whose roles."""

from datetime import timedelta

import pytest

from services.chassis import errors
from services.user import domain, usecases
from services.user.domain import Role
from tests.integration.user.conftest import Hands
from tests.integration.user.test_sessions import signed_in
from tests.integration.user.test_usecases import PASSWORD


async def test_sign_ins_are_listed_with_where_they_began_and_end_one_by_one(
    accounts: usecases.Accounts, sessions: usecases.Sessions, hands: Hands
) -> None:
    first = await signed_in(accounts)
    second = await accounts.login(first.user.email, PASSWORD, origin=domain.Origin("192.0.2.7", "curl/8"))
    hands.ahead = timedelta(minutes=1)
    renewed = await sessions.refresh(first.refresh.text)
    newest, oldest = await sessions.list(first.user.id)
    assert newest.origin == domain.Origin("192.0.2.7", "curl/8")
    assert newest.use_time == newest.create_time
    assert oldest.use_time > oldest.create_time

    for _ in range(2):
        await sessions.end_one(first.user.id, newest.id)
    assert [shown.id for shown in await sessions.list(first.user.id)] == [oldest.id]
    with pytest.raises(errors.DomainError, match="REFRESH_TOKEN_INVALID"):
        await sessions.refresh(second.refresh.text)
    await sessions.refresh(renewed.refresh.text)
    assert newest.id in {item.subject_id for item in (await sessions.revocations(None)).revocations}


async def test_nobody_ends_a_sign_in_of_somebody_else(accounts: usecases.Accounts, sessions: usecases.Sessions) -> None:
    ann, eve = await signed_in(accounts), await signed_in(accounts)
    [hers] = await sessions.list(ann.user.id)
    await sessions.end_one(eve.user.id, hers.id)
    assert await sessions.list(ann.user.id) == [hers]


async def test_a_change_of_roles_is_written_down_and_one_that_changes_nothing_is_not(
    accounts: usecases.Accounts, admin_id: str
) -> None:
    user_id = (await signed_in(accounts)).user.id
    for _ in range(2):
        await accounts.set_roles(user_id, [Role.VENDOR], admin_id=admin_id, reason="sells tea")
    [change] = await accounts.role_changes(user_id)
    assert (change.admin_id, change.before, change.after) == (admin_id, (Role.CUSTOMER,), (Role.VENDOR,))
    assert change.reason == "sells tea"


async def test_a_change_that_is_refused_is_not_written_down(accounts: usecases.Accounts, admin_id: str) -> None:
    user_id = (await signed_in(accounts)).user.id
    with pytest.raises(errors.DomainError, match="ACCESS_DENIED"):
        await accounts.set_roles(admin_id, [Role.CUSTOMER], admin_id=user_id)
    assert await accounts.role_changes(admin_id) == []
