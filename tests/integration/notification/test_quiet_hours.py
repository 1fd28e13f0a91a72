"""Quiet hours: offers, reminders and digests wait until they end, and nothing else does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database, errors
from services.notification import domain, store, usecases
from services.notification.domain import Channel, Kind
from souk.notification.v1 import notification_service_pb2, notification_service_pb2_grpc
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, abandoned, confirmed, fell_low, new_id, registered
from tests.support import calls
from tests.support.polling import eventually

WAITS = database.Statement("""
SELECT attempts, extract(epoch FROM next_try_at - clock_timestamp())::float8 FROM notifications
WHERE user_id = %(user)s AND reason = 'QUIET_HOURS'
""")
# As if the last seconds of the quiet hours had come.
ALMOST_OVER = database.Statement("""
WITH soon AS (
  UPDATE preferences SET quiet_end = (clock_timestamp() AT TIME ZONE 'UTC')::time + interval '2 seconds'
  WHERE user_id = %(user)s RETURNING user_id)
UPDATE notifications SET next_try_at = clock_timestamp() WHERE user_id IN (SELECT user_id FROM soon) AND attempts = 0
RETURNING 1
""")
HOUR = timedelta(hours=1)


def now_quiet() -> domain.QuietHours:
    """Quiet hours from an hour ago for two hours."""
    now = datetime.now(UTC)
    return domain.QuietHours((now - HOUR).time(), (now + HOUR).time(), "UTC")


async def chosen(office: PostOffice, user: str, quiet: domain.QuietHours) -> None:
    """The user wants offers, and these quiet hours."""
    wanted = domain.PreferencesChange({Kind.MARKETING: frozenset({Channel.EMAIL})}, quiet_hours=quiet)
    await usecases.Preferences(office.db).update(user, wanted)


async def left_alone(office: PostOffice) -> str:
    """A user with quiet hours now, who was welcomed all the same."""
    user = new_id()
    await chosen(office, user, now_quiet())
    await office.hear(registered(user, address(user)))
    await office.reach(user, "SENT")
    return user


def address(user: str) -> str:
    return f"{user}@example.com"


async def waits(office: PostOffice, user: str) -> list[tuple[int, float]]:
    return [(int(attempts), float(wait)) for attempts, wait in await office.db.read(WAITS, {"user": user})]


async def put_off(office: PostOffice, user: str) -> None:
    async def waiting() -> bool:
        return bool(await waits(office, user))

    await eventually(waiting, within_s=offices.PATIENCE_S)


async def test_a_reminder_and_a_digest_wait_until_quiet_hours_end_and_an_order_is_confirmed_at_once(
    office: PostOffice,
) -> None:
    user = await left_alone(office)

    await office.hear(abandoned(user, new_id()), confirmed(new_id(), user), fell_low("POT", 1))
    await office.digests({"POT": user}).work()

    async def both() -> bool:
        return len(await waits(office, user)) == 2

    await eventually(both, within_s=offices.PATIENCE_S)
    for attempts, wait in await waits(office, user):
        assert attempts == 0
        assert HOUR.total_seconds() - 120 < wait <= HOUR.total_seconds() + 5
    states = {message.template: message.state for message in await office.messages(user)}
    assert states == {"welcome": "SENT", "order_confirmed": "SENT", "cart_reminder": "QUEUED", "low_stock": "QUEUED"}
    assert len(office.mails(address(user))) == 2


async def test_what_waited_is_sent_when_quiet_hours_end(office: PostOffice) -> None:
    user = await left_alone(office)
    await office.hear(abandoned(user, new_id()))
    await put_off(office, user)

    await office.db.read(ALMOST_OVER, {"user": user})

    await office.reach(user, "SENT", "SENT")
    [_, reminder] = await office.messages(user)
    assert (reminder.attempts, reminder.reason) == (1, "")


async def test_who_wants_no_quiet_hours_any_more_gets_at_once_what_waited(office: PostOffice) -> None:
    user = await left_alone(office)
    await office.hear(abandoned(user, new_id()))
    await put_off(office, user)

    await chosen(office, user, domain.NEVER)

    await office.reach(user, "SENT", "SENT")


async def test_a_message_that_waits_for_the_end_of_quiet_hours_is_in_no_queue(office: PostOffice) -> None:
    user = await left_alone(office)
    await office.hear(abandoned(user, new_id()))
    await put_off(office, user)

    assert {queue: depth for queue, depth, _ in await office.db.read(usecases.QUEUES)}["email"] == 0


async def test_who_dies_with_a_message_of_quiet_hours_leaves_it_to_the_next_worker(
    idle_office: PostOffice, smtp_url: str
) -> None:
    user = new_id()
    await chosen(idle_office, user, now_quiet())
    await idle_office.hear(registered(user, address(user)), abandoned(user, new_id()))
    async with idle_office.db.transaction() as transaction:
        claimed = await store.claim(transaction, Channel.EMAIL, most=16, lease_s=0.1)
    assert len(claimed) == 2

    async with offices.working(idle_office.db, offices.settings(smtp_url)):
        await put_off(idle_office, user)

    assert idle_office.subjects(address(user)) == ["Welcome to Souk"]


@pytest_asyncio.fixture
async def desk(idle_office: PostOffice) -> AsyncIterator[tuple[Any, calls.Shop]]:
    async with calls.served(offices.servicer(idle_office), "notification") as shop:
        yield notification_service_pb2_grpc.NotificationServiceStub(shop.channel), shop


async def update(desk: tuple[Any, calls.Shop], user: str, **wanted: Any) -> Any:
    stub, shop = desk
    request = notification_service_pb2.UpdatePreferencesRequest(**wanted)
    return await stub.UpdatePreferences(request, metadata=shop.as_user(user))


async def test_quiet_hours_are_kept_until_they_are_ended(desk: tuple[Any, calls.Shop]) -> None:
    user, night = new_id(), {"start": "22:00", "end": "07:30", "time_zone": "Europe/Berlin"}

    made = await update(desk, user, quiet_hours=night)
    kept = await update(desk, user, language="de")
    ended = await update(desk, user, quiet_hours={})

    assert {name: getattr(made.quiet_hours, name) for name in night} == night
    assert kept.quiet_hours == made.quiet_hours
    assert not ended.HasField("quiet_hours")


@pytest.mark.parametrize(
    ("quiet", "reason"),
    [
        ({"start": "22:00", "end": "07:00", "time_zone": "Mars/Olympus"}, "TIME_ZONE_UNKNOWN"),
        ({"start": "22:00", "end": "22:00", "time_zone": "UTC"}, "REQUEST_INVALID"),
        ({"start": "22:00", "end": "07:00"}, "REQUEST_INVALID"),
        ({"time_zone": "UTC"}, "REQUEST_INVALID"),
        ({"start": "24:00", "end": "07:00", "time_zone": "UTC"}, "REQUEST_INVALID"),
        ({"start": "9:00", "end": "07:00", "time_zone": "UTC"}, "REQUEST_INVALID"),
    ],
)
async def test_quiet_hours_that_are_none_are_refused(
    desk: tuple[Any, calls.Shop], quiet: dict[str, str], reason: str
) -> None:
    error = await calls.refused(update(desk, new_id(), quiet_hours=quiet))
    assert (error.code, error.reason) == (errors.Code.INVALID_ARGUMENT, reason)
