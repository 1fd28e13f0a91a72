"""While a release is rolled out the one before it works on the same rows: what it cannot read it leaves alone."""

from services.chassis import database, pages
from tests.integration.notification.post_office import PostOffice, confirmed, new_id, registered

_OF_LATER = database.Statement("""
INSERT INTO notifications (id, user_id, template, occasion_id, subject, details, state, create_time)
VALUES (%(id)s, %(user_id)s, 'of_a_later_release', %(id)s, 'Later', '{}', 'QUEUED', clock_timestamp())
""")


async def test_a_message_of_a_later_release_is_left_to_it_and_holds_up_no_other(office: PostOffice) -> None:
    user = new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    await office.reach(user, "SENT")
    await office.db.read(_OF_LATER, {"id": new_id(), "user_id": user})
    await office.hear(confirmed(new_id(), user))
    await office.reach(user, "SENT", "QUEUED", "SENT")
    [_, later, _] = await office.messages(user)
    assert later.attempts == 0
    shown = await office.notifications.list(user, pages.Page(after="", size=10))
    assert [message.state for message in shown.rows] == ["SENT", "SENT"]
