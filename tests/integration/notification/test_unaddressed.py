"""Messages of users whose contact has not arrived: they hold nobody up, are put off longer and longer, and are given up."""

from prometheus_client import REGISTRY

from services.chassis import database
from services.notification import store, usecases
from services.notification.domain import Channel
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, confirmed, new_id, registered

DAY_S = 86400.0
_AGE = database.Statement("""
UPDATE notifications SET create_time = clock_timestamp() - make_interval(secs => %(age)s::float8),
  next_try_at = clock_timestamp()
""")
_WAITS = database.Statement("""
SELECT extract(epoch FROM next_try_at - clock_timestamp())::float8 FROM notifications ORDER BY next_try_at
""")


async def put_off(db: database.Database) -> tuple[int, int]:
    return await store.put_off(db, give_up_s=DAY_S)


async def waits(db: database.Database) -> list[float]:
    return [float(wait) for (wait,) in await db.read(_WAITS)]


async def age(db: database.Database, seconds: float) -> None:
    await db.read(_AGE, {"age": seconds})


async def queues(db: database.Database) -> dict[str, int]:
    return {queue: depth for queue, depth, _ in await db.read(usecases.QUEUES)}


def alarms() -> float:
    labels = {"service": usecases.SERVICE, "alarm": "contact_unknown"}
    return REGISTRY.get_sample_value("souk_alarms_total", labels) or 0.0


async def test_the_first_claim_gets_the_mail_behind_two_thousand_without_a_contact(idle_office: PostOffice) -> None:
    await idle_office.hear(*(confirmed(new_id(), new_id()) for _ in range(2000)))
    user = new_id()
    await idle_office.hear(registered(user, f"{user}@example.com"))
    async with idle_office.db.transaction() as transaction:
        claimed = await store.claim(transaction, Channel.EMAIL, most=16, lease_s=30)
    assert [item.notification.user_id for item in claimed] == [user]


async def test_a_message_without_a_contact_is_due_later_and_later(idle_office: PostOffice) -> None:
    db, user = idle_office.db, new_id()
    await idle_office.hear(confirmed(new_id(), user))
    assert await put_off(db) == (1, 0)
    assert await put_off(db) == (0, 0)
    for waited, next_wait in ((0.0, 1.0), (60.0, 60.0), (DAY_S / 2, store.CONTACT_WAIT_MOST_S)):
        await age(db, waited)
        assert await put_off(db) == (1, 0)
        [wait] = await waits(db)
        assert next_wait - 30 < wait < next_wait + 30
    [message] = await idle_office.messages(user)
    assert (message.state, message.attempts) == ("QUEUED", 0)


async def test_a_message_whose_contact_never_arrives_is_given_up_and_a_person_is_told(idle_office: PostOffice) -> None:
    user = new_id()
    before = alarms()
    await idle_office.hear(confirmed(new_id(), user))
    await age(idle_office.db, DAY_S + 1)
    assert await usecases.Unaddressed(idle_office.db, give_up_s=DAY_S).work() == 1
    [message] = await idle_office.messages(user)
    assert (message.state, message.reason, message.attempts) == ("FAILED", store.CONTACT_UNKNOWN, 0)
    assert alarms() == before + 1
    assert await put_off(idle_office.db) == (0, 0)
    assert (await queues(idle_office.db))["without_contact"] == 0


async def test_a_contact_that_arrives_makes_what_waited_for_it_due_at_once(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    await office.hear(confirmed(order, user))
    await age(office.db, DAY_S / 2)
    assert await put_off(office.db) == (1, 0)
    assert min(await waits(office.db)) > offices.PATIENCE_S
    await office.hear(registered(user, f"{user}@example.com"))
    await office.reach(user, "SENT", "SENT")


async def test_a_contact_that_changes_hurries_nothing_that_was_tried(idle_office: PostOffice) -> None:
    user = new_id()
    await idle_office.hear(registered(user, f"{user}@example.com"))
    async with idle_office.db.transaction() as transaction:
        [_] = await store.claim(transaction, Channel.EMAIL, most=16, lease_s=600)
    await idle_office.hear(registered(user, f"{user}@example.com"))
    assert min(await waits(idle_office.db)) > 300


async def test_a_message_with_a_contact_is_not_put_off(idle_office: PostOffice) -> None:
    user = new_id()
    await idle_office.hear(registered(user, f"{user}@example.com"))
    await age(idle_office.db, DAY_S + 1)
    assert await put_off(idle_office.db) == (0, 0)


async def test_messages_without_a_contact_are_a_queue_of_their_own(idle_office: PostOffice) -> None:
    user = new_id()
    await idle_office.hear(registered(user, f"{user}@example.com"), confirmed(new_id(), new_id()))
    assert await queues(idle_office.db) == {"email": 1, "sms": 0, "push": 0, "without_contact": 1}
