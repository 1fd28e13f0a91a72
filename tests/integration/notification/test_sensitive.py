"""Messages of services with a text that must not be kept: it is sent, and then nowhere any more."""

import pytest

from services.chassis import database
from services.notification import usecases
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, new_id, registered
from tests.integration.notification.test_sending import Desk, desk, known
from tests.support import calls, mails
from tests.support.polling import eventually

__all__ = ["desk"]

SECRET = "https://shop.example/reset?token=5f3c9a7e"
_ROW = database.Statement("SELECT n::text FROM notifications AS n WHERE user_id = %(user_id)s")
_AGE = database.Statement("UPDATE notifications SET create_time = now() - interval '2 days', next_try_at = now()")


async def kept(office: PostOffice, user: str) -> str:
    """All that is stored of a user's messages."""
    return "".join(row for (row,) in await office.db.read(_ROW, {"user_id": user}))


async def test_a_sensitive_text_is_sent_and_not_kept(office: PostOffice, desk: Desk) -> None:
    user = await known(office)
    await desk.serve(user, "Reset your password", text=SECRET, sensitive=True)
    await office.reach(user, "SENT", "SENT")
    [_, mail] = office.mails(f"{user}@example.com")
    assert SECRET in mails.text(mail)
    assert SECRET not in await kept(office, user)


@pytest.mark.parametrize("sensitive", [True, False])
async def test_until_it_is_sent_it_is_kept_and_after_that_only_if_it_is_no_secret(
    idle_office: PostOffice, smtp_url: str, *, sensitive: bool
) -> None:
    async with calls.served(offices.servicer(idle_office), "notification") as shop:
        desk, user = Desk.at(shop), new_id()
        await desk.serve(user, "Verify your address", text=SECRET, sensitive=sensitive)
        assert SECRET in await kept(idle_office, user)
        await idle_office.hear(registered(user, f"bounce-{user}@example.com"))
        async with offices.working(idle_office.db, offices.settings(smtp_url)):
            await idle_office.reach(user, "FAILED", "FAILED")
    assert (SECRET in await kept(idle_office, user)) is not sensitive


async def test_what_is_given_up_because_nobody_is_known_is_not_kept(idle_office: PostOffice) -> None:
    async with calls.served(offices.servicer(idle_office), "notification") as shop:
        user = new_id()
        await Desk.at(shop).serve(user, "Verify your address", text=SECRET, sensitive=True)
    await idle_office.db.read(_AGE)
    assert await usecases.Unaddressed(idle_office.db, give_up_s=86400).work() == 1
    await idle_office.reach(user, "FAILED")
    assert SECRET not in await kept(idle_office, user)


async def test_a_service_writes_to_another_address_than_the_accounts_and_names_nobody_there(
    office: PostOffice, desk: Desk
) -> None:
    user = await known(office)
    new = f"new-{user}@example.com"
    await desk.serve(user, "Verify your address", text=SECRET, email=new)

    async def arrived() -> bool:
        return bool(office.mails(new))

    await eventually(arrived, within_s=offices.PATIENCE_S)
    [mail] = office.mails(new)
    assert mails.text(mail).startswith("Hello,\n")
    assert len(office.mails(f"{user}@example.com")) == 1


async def test_an_administrator_chooses_no_address(office: PostOffice, desk: Desk) -> None:
    error = await calls.refused(desk.send(await known(office), email="someone@example.com"))
    assert error.reason == "ADDRESS_NOT_ALLOWED"
