"""How people become vendors, on a real database: they apply, an administrator decides, and the role comes with the approval."""

import asyncio
import dataclasses

import pytest

from services.chassis import database, errors, pages
from services.user import domain, usecases
from services.user.domain import Role, vendors
from services.user.domain.vendors import State
from services.user.usecases.belongings import Wanted
from tests.integration.user import mortal as process
from tests.integration.user.conftest import Hands
from tests.integration.user.test_second_factors import reason
from tests.integration.user.test_sessions import signed_in
from tests.support import mortal

TEAS = vendors.Draft("Ann's Teas", "Ann Ltd", "GB", "GB 123 4567 89", "ann@example.com")
OUTBOX = database.Statement("SELECT type FROM outbox WHERE key = %(key)s ORDER BY id")


@pytest.fixture
def applications(db: database.Database, accounts: usecases.Accounts, hands: Hands) -> usecases.vendors.Applications:
    return usecases.vendors.Applications(db, accounts, now=hands)


async def applied(accounts: usecases.Accounts, applications: usecases.vendors.Applications) -> vendors.Application:
    user = (await signed_in(accounts)).user
    return await applications.apply(Wanted(user.id), TEAS)


def approval(application: vendors.Application, admin_id: str, why: str = "sells tea") -> vendors.Decision:
    return vendors.Decision(application.id, admin_id, State.APPROVED, why)


def rejection(application: vendors.Application, admin_id: str, why: str = "no such company") -> vendors.Decision:
    return vendors.Decision(application.id, admin_id, State.REJECTED, why)


async def test_an_approval_gives_the_role_once_and_is_recorded(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications, admin_id: str
) -> None:
    application = await applied(accounts, applications)
    assert await applications.newest(application.user_id) == application
    decided = [await applications.decide(approval(application, admin_id, why)) for why in ("sells tea", "again")]
    assert decided[0] == decided[1]
    assert (decided[0].state, decided[0].reason) == (State.APPROVED, "sells tea")
    assert (await accounts.get(application.user_id)).roles == (Role.CUSTOMER, Role.VENDOR)
    [change] = await accounts.role_changes(application.user_id)
    assert (change.admin_id, change.after, change.reason) == (admin_id, (Role.CUSTOMER, Role.VENDOR), "sells tea")
    # The role does not come back by repeating what was decided before it was taken away.
    await accounts.set_roles(application.user_id, [Role.CUSTOMER], admin_id=admin_id)
    await applications.decide(approval(application, admin_id))
    assert (await accounts.get(application.user_id)).roles == (Role.CUSTOMER,)


async def test_of_many_who_approve_at_once_one_gives_the_role(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications, admin_id: str, db: database.Database
) -> None:
    application = await applied(accounts, applications)
    decided = await asyncio.gather(*(applications.decide(approval(application, admin_id)) for _ in range(6)))
    assert {one.state for one in decided} == {State.APPROVED}
    assert len(await accounts.role_changes(application.user_id)) == 1
    told = [kind.rsplit(".", 1)[1] for (kind,) in await db.read(OUTBOX, {"key": application.user_id})]
    assert told == ["UserRegistered", "VendorApplicationDecided", "UserChanged"]


async def test_a_person_has_one_open_application_and_the_same_request_makes_it_once(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications
) -> None:
    user_id = (await signed_in(accounts)).user.id
    who = Wanted(user_id, "a key", b"the same")
    first = await applications.apply(who, TEAS)
    assert await applications.apply(who, TEAS) == first
    assert await reason(applications.apply(Wanted(user_id), TEAS)) == "VENDOR_APPLICATION_OPEN"
    other = dataclasses.replace(who, fingerprint=b"another")
    assert await reason(applications.apply(other, TEAS)) == "REQUEST_ID_REUSED"
    bob = (await signed_in(accounts)).user.id
    answers = await asyncio.gather(*(applications.apply(Wanted(bob), TEAS) for _ in range(6)), return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, vendors.Application)]) == 1
    assert len(await applications.of_user(bob)) == 1


async def test_who_was_rejected_or_took_it_back_may_apply_again_and_a_vendor_need_not(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications, admin_id: str
) -> None:
    application = await applied(accounts, applications)
    for why in ("no such company", "again"):
        rejected = await applications.decide(rejection(application, admin_id, why))
        assert (rejected.state, rejected.reason) == (State.REJECTED, "no such company")
    assert await reason(applications.decide(approval(application, admin_id))) == "VENDOR_APPLICATION_DECIDED"
    who = Wanted(application.user_id)
    second = await applications.apply(who, TEAS)
    for _ in range(2):
        await applications.withdraw(who.user_id)
    assert (await applications.newest(who.user_id)).state is State.WITHDRAWN
    assert await reason(applications.decide(approval(second, admin_id))) == "VENDOR_APPLICATION_DECIDED"
    third = await applications.apply(who, TEAS)
    await applications.decide(approval(third, admin_id))
    assert await reason(applications.apply(who, TEAS)) == "ALREADY_VENDOR"
    assert [one.state for one in await applications.of_user(who.user_id)] == [
        State.APPROVED,
        State.WITHDRAWN,
        State.REJECTED,
    ]


async def test_only_who_is_an_administrator_in_the_database_decides(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications
) -> None:
    application = await applied(accounts, applications)
    for decision in (approval(application, application.user_id), rejection(application, application.user_id)):
        assert await reason(applications.decide(decision)) == "ACCESS_DENIED"
    assert (await accounts.get(application.user_id)).roles == (Role.CUSTOMER,)
    assert (await applications.newest(application.user_id)).state is State.PENDING


async def test_administrators_page_through_applications_by_state(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications, admin_id: str
) -> None:
    made = [await applied(accounts, applications) for _ in range(3)]
    await applications.decide(rejection(made[1], admin_id))
    first = await applications.list(State.PENDING, pages.Page(1))
    second = await applications.list(State.PENDING, pages.Page(1, first.next_after))
    assert [one.id for one in (*first.rows, *second.rows)] == [made[2].id, made[0].id]
    assert made[1].id in {one.id for one in (await applications.list(State.REJECTED, pages.Page(100))).rows}
    everywhere = await applications.list(None, pages.Page(3))
    assert [one.id for one in everywhere.rows] == [made[2].id, made[1].id, made[0].id]


async def test_nobody_has_an_application_who_never_applied(
    accounts: usecases.Accounts, applications: usecases.vendors.Applications
) -> None:
    user_id = (await signed_in(accounts)).user.id
    await applications.withdraw(user_id)
    with pytest.raises(errors.DomainError, match="VENDOR_APPLICATION_NOT_FOUND"):
        await applications.newest(user_id)


@pytest.mark.parametrize(("point", "happened"), [(mortal.WRITTEN, False), (mortal.COMMITTED, True)])
async def test_an_approval_its_role_its_record_and_its_news_are_one_or_none(
    database_url: str,
    db: database.Database,
    accounts: usecases.Accounts,
    applications: usecases.vendors.Applications,
    *,
    admin_id: str,
    point: str,
    happened: bool,
) -> None:
    application = await applied(accounts, applications)
    died = {"EMAIL": "", "PASSWORD": "", "APPLICATION_ID": application.id, "ADMIN_ID": admin_id}
    mortal.dies(process.__name__, database_url, at=point, DOES="approve", **died)
    state = State.APPROVED if happened else State.PENDING
    assert (await applications.newest(application.user_id)).state is state
    assert len(await accounts.role_changes(application.user_id)) == happened
    assert (domain.Role.VENDOR in (await accounts.get(application.user_id)).roles) == happened
    assert (await applications.decide(approval(application, admin_id))).state is State.APPROVED
    assert len(await accounts.role_changes(application.user_id)) == 1
    told = [kind.rsplit(".", 1)[1] for (kind,) in await db.read(OUTBOX, {"key": application.user_id})]
    assert told == ["UserRegistered", "VendorApplicationDecided", "UserChanged"]
