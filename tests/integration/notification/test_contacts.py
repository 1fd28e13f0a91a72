"""What notification knows of people follows the user service, in whatever order its events arrive."""

from services.chassis import database
from souk.user.v1 import user_events_pb2
from tests.integration.notification.post_office import PostOffice, new_id, registered
from tests.support import mails

_CONTACT = database.Statement("SELECT email, display_name, version FROM contacts WHERE user_id = %(user_id)s")


def changed(user_id: str, email: str, name: str, version: int) -> user_events_pb2.UserChanged:
    return user_events_pb2.UserChanged(
        user_id=user_id, email=email, display_name=name, version=version, email_verified=True
    )


async def contact(office: PostOffice, user_id: str) -> tuple[str, str, int]:
    [row] = await office.db.read(_CONTACT, {"user_id": user_id})
    return row


async def test_a_changed_name_greets_from_then_on(office: PostOffice) -> None:
    user = new_id()
    to = f"{user}@example.com"
    await office.hear(registered(user, to, "Ann"))
    await office.hear(changed(user, to, "Anna", 2))
    assert await contact(office, user) == (to, "Anna", 2)


async def test_an_older_change_that_comes_late_changes_nothing(idle_office: PostOffice) -> None:
    user = new_id()
    await idle_office.hear(registered(user, "old@example.com", "Ann"))
    await idle_office.hear(changed(user, "new@example.com", "Anna", 3))
    for late in (changed(user, "between@example.com", "Annie", 2), registered(user, "old@example.com", "Ann")):
        await idle_office.hear(late)
    assert await contact(idle_office, user) == ("new@example.com", "Anna", 3)


async def test_a_change_that_overtakes_the_registration_is_kept_and_the_welcome_goes_to_the_new_address(
    office: PostOffice,
) -> None:
    user = new_id()
    await office.hear(changed(user, f"new-{user}@example.com", "Anna", 2))
    assert await office.messages(user) == []
    await office.hear(registered(user, f"old-{user}@example.com", "Ann"))
    await office.reach(user, "SENT")
    [mail] = office.mails(f"new-{user}@example.com")
    assert mails.text(mail).startswith("Hello Anna,")
    assert office.mails(f"old-{user}@example.com") == []


async def test_nobody_is_greeted_by_name_until_the_address_is_verified(office: PostOffice) -> None:
    user, to = new_id(), f"{new_id()}@example.com"
    await office.hear(registered(user, to, "WIN A PHONE https://evil.example/x", verified=False))
    await office.reach(user, "SENT")
    [mail] = office.mails(to)
    assert mails.text(mail).startswith("Hello,\n")
    assert "evil" not in mails.text(mail)
