"""What is left of an erased user's mail: that there was some, and when."""

from services.chassis import database
from services.notification import store
from souk.user.v1 import user_events_pb2
from tests.integration.notification.post_office import PostOffice, confirmed, new_id, registered

_KEPT = database.Statement("""
SELECT to_jsonb(n)::text FROM notifications AS n UNION ALL
SELECT to_jsonb(c)::text FROM contacts AS c UNION ALL
SELECT to_jsonb(p)::text FROM preferences AS p
""")
# As mail servers say it.
_REFUSED = database.Statement("""
UPDATE notifications SET state = 'FAILED', reason = '550 5.1.1 <' || %(address)s || '>: User unknown', send_time = NULL
WHERE user_id = %(user)s
""")
_DUE = database.Statement("UPDATE notifications SET next_try_at = clock_timestamp() WHERE next_try_at IS NOT NULL")


async def kept(office: PostOffice, text: str) -> list[str]:
    """The rows that have this text."""
    return [row for (row,) in await office.db.read(_KEPT) if text in row]


async def erase(office: PostOffice, user: str) -> None:
    await office.hear(user_events_pb2.UserErased(user_id=user))
    await office.erasing.work()


async def test_mail_that_was_sent_keeps_no_word_and_no_address(office: PostOffice) -> None:
    user = new_id()
    address = f"{user}@example.com"
    await office.hear(registered(user, address), confirmed(new_id(), user))
    await office.reach(user, "SENT", "SENT")
    assert await kept(office, address)

    await erase(office, user)

    assert not await kept(office, address)
    [(details,)] = await office.db.read(
        database.Statement("SELECT DISTINCT details::text || subject FROM notifications WHERE user_id = %(user)s"),
        {"user": user},
    )
    assert (details, [message.state for message in await office.messages(user)]) == ("{}", ["SENT", "SENT"])


async def test_mail_that_was_refused_keeps_no_word_of_the_mail_server(office: PostOffice) -> None:
    user = new_id()
    address = f"{user}@gone.example"
    await office.hear(registered(user, address))
    await office.reach(user, "SENT")
    await office.db.read(_REFUSED, {"user": user, "address": address})

    await erase(office, user)

    assert not await kept(office, address)
    assert [(message.state, message.reason) for message in await office.messages(user)] == [("FAILED", "")]


async def test_mail_of_an_erased_user_is_not_sent_any_more_and_nobody_is_called(idle_office: PostOffice) -> None:
    user, other = new_id(), new_id()
    await idle_office.hear(
        registered(user, f"{user}@example.com"), confirmed(new_id(), user), confirmed(new_id(), other)
    )
    await erase(idle_office, user)
    await idle_office.hear(confirmed(new_id(), user))
    await idle_office.db.read(_DUE)

    assert await store.put_off(idle_office.db, give_up_s=86400) == (4, 0)

    states = {(message.state, message.reason) for message in await idle_office.messages(user)}
    assert states == {("FAILED", store.ACCOUNT_ERASED)}
    assert [message.state for message in await idle_office.messages(other)] == ["QUEUED"]
