"""From an event to a telephone: over the channels that its owner chose, once for each, whoever dies on the way."""

import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from services.chassis import clock, database
from services.notification import domain, usecases
from services.notification.domain import Channel, Kind, PreferencesChange
from tests.integration.notification import aws, mortal_worker
from tests.integration.notification import post_office as offices
from tests.integration.notification.aws import Sns
from tests.integration.notification.post_office import PostOffice, cancelled, confirmed, new_id, refunded, registered
from tests.support import mortal, mortal_effects

EVERYWHERE = frozenset(Channel)
_CHANNELS = database.Statement("""
SELECT channel, state, reason, attempts FROM notifications WHERE user_id = %(user_id)s AND template = %(template)s
ORDER BY create_time, array_position(ARRAY['EMAIL', 'SMS', 'PUSH'], channel), id
""")


@dataclass
class Exchange:
    """A post office that also sends text messages and push messages, and somebody's telephone."""

    office: PostOffice
    sns: Sns

    async def owner(self, kinds: frozenset[Kind], channels: frozenset[Channel], *, number: str = "") -> domain.Contact:
        """Somebody with a telephone, who wants messages of these kinds over these channels."""
        user = new_id()
        contact = domain.Contact(user, f"{user}@example.com", "Ann", 1, number or a_number(), self.sns.device())
        await self.office.hear(registered(user, contact.email))
        choices = dict.fromkeys(kinds, channels)
        change = PreferencesChange(choices, contact.phone_number, contact.push_endpoint)
        await usecases.Preferences(self.office.db).update(user, change)
        return contact

    async def sent(self, user_id: str, template: str = "order_confirmed") -> list[tuple[str, str, str, int]]:
        rows = await self.office.db.read(_CHANNELS, {"user_id": user_id, "template": template})
        return [(str(row[0]), str(row[1]), str(row[2]), int(row[3])) for row in rows]


def a_number() -> str:
    """A number of its own for every test, which does not say STOP."""
    return f"+1555{int(new_id().replace('-', '')[:8], 16) % 10**7:07d}0"


@pytest_asyncio.fixture
async def exchange(office: PostOffice, sns: Sns) -> AsyncIterator[Exchange]:
    async with offices.calling(office.db, aws.settings(sns.url)) as wakes:
        office.notifications = usecases.Notifications(
            office.db, offices.WORDS, now=clock.utc_now, wakes={**office.notifications._wakes, **wakes}
        )
        yield Exchange(office, sns)


async def test_a_message_comes_over_every_channel_that_was_chosen_once(exchange: Exchange) -> None:
    ann = await exchange.owner(frozenset({Kind.ORDER}), EVERYWHERE)
    order = new_id()
    for _ in range(2):
        await exchange.office.hear(confirmed(order, ann.user_id))
    await exchange.office.reach(ann.user_id, "SENT", "SENT", "SENT", "SENT")
    assert [row[0] for row in await exchange.sent(ann.user_id)] == ["EMAIL", "SMS", "PUSH"]
    assert exchange.sns.texts(ann.phone_number) == [f"Souk: your order {order} over $42.00 is confirmed."]
    [pushed] = exchange.sns.pushes(ann.push_endpoint)
    assert pushed["default"].startswith("Thank you for your order over $42.00")
    assert len(exchange.office.mails(ann.email)) == 2


async def test_a_kind_that_is_switched_off_is_not_told_and_the_others_are(exchange: Exchange) -> None:
    ann = await exchange.owner(frozenset({Kind.ORDER}), frozenset())
    order = new_id()
    await exchange.office.hear(cancelled(order, ann.user_id, "STOCK_SHORT"), refunded(order, ann.user_id))
    await exchange.office.reach(ann.user_id, "SENT", "SENT")
    assert exchange.office.subjects(ann.email) == [f"$42.00 refunded for your order {order}", "Welcome to Souk"]


async def test_one_who_answered_stop_gets_no_text_message_and_nobody_tries_again(exchange: Exchange) -> None:
    ann = await exchange.owner(
        frozenset({Kind.ORDER}), frozenset({Channel.SMS}), number=f"{a_number()[:-2]}{aws.OPTED_OUT}"
    )
    await exchange.office.hear(confirmed(new_id(), ann.user_id))
    await exchange.office.reach(ann.user_id, "SENT", "FAILED")
    assert await exchange.sent(ann.user_id) == [("SMS", "FAILED", "PHONE_OPTED_OUT", 1)]


async def test_a_number_that_its_owner_took_back_gets_nothing_any_more(idle_office: PostOffice, sns: Sns) -> None:
    ann = await Exchange(idle_office, sns).owner(frozenset({Kind.ORDER}), frozenset({Channel.SMS}))
    await idle_office.hear(confirmed(new_id(), ann.user_id))
    taken_back = PreferencesChange({Kind.ORDER: frozenset()}, phone_number="")
    await usecases.Preferences(idle_office.db).update(ann.user_id, taken_back)
    async with offices.calling(idle_office.db, aws.settings(sns.url)):
        await idle_office.reach(ann.user_id, "QUEUED", "FAILED")
    assert await Exchange(idle_office, sns).sent(ann.user_id) == [("SMS", "FAILED", "ADDRESS_MISSING", 1)]
    assert sns.texts(ann.phone_number) == []


async def test_text_messages_wait_for_sns_without_holding_up_the_mail(office: PostOffice) -> None:
    user, order = new_id(), new_id()
    async with aws.scripted() as grumpy:
        grumpy.status, grumpy.code = 503, "ServiceUnavailable"
        async with offices.calling(office.db, aws.settings(grumpy.url, breaker_failures=1, breaker_reset_s=0.2)):
            await office.hear(registered(user, f"{user}@example.com"))
            change = PreferencesChange({Kind.ORDER: frozenset({Channel.EMAIL, Channel.SMS})}, a_number())
            await usecases.Preferences(office.db).update(user, change)
            await office.hear(confirmed(order, user))
            await office.reach(user, "SENT", "SENT", "QUEUED")
            grumpy.status = 200
            await office.reach(user, "SENT", "SENT", "SENT")
    assert (await office.messages(user))[-1].attempts == 1


async def test_a_message_that_sns_defers_again_and_again_is_given_up(office: PostOffice) -> None:
    user = new_id()
    async with aws.scripted() as grumpy:
        grumpy.status, grumpy.code = 500, "InternalError"
        async with offices.calling(office.db, aws.settings(grumpy.url, most_attempts=1)):
            await office.hear(registered(user, f"{user}@example.com"))
            change = PreferencesChange({Kind.ORDER: frozenset({Channel.SMS})}, a_number())
            await usecases.Preferences(office.db).update(user, change)
            await office.hear(confirmed(new_id(), user))
            await office.reach(user, "SENT", "FAILED")
    assert (await office.messages(user))[-1].reason == "InternalError"


@pytest.fixture(params=[Channel.SMS, Channel.PUSH])
def channel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Channel:
    """A channel over SNS, which the mortal worker serves."""
    chosen = Channel(request.param)
    monkeypatch.setenv("CHANNEL", chosen)
    return chosen


@pytest.mark.parametrize("point", mortal_effects.POINTS)
async def test_a_worker_killed_at_any_line_leaves_a_message_that_is_sent(
    idle_office: PostOffice, database_url: str, sns: Sns, point: str, channel: Channel
) -> None:
    exchange = Exchange(idle_office, sns)
    ann = await exchange.owner(frozenset({Kind.ORDER}), frozenset({channel}))
    with mortal.worker(mortal_worker.__name__, database_url, sns.url, die_at=point) as doomed:
        await idle_office.hear(confirmed(new_id(), ann.user_id))
        assert await mortal.death_of(doomed, within_s=offices.PATIENCE_S) == -signal.SIGKILL
    async with offices.calling(idle_office.db, aws.settings(sns.url)):
        await idle_office.reach(ann.user_id, "QUEUED", "SENT")
    # Died between SNS's yes and the commit: nobody knew, so it was said again. An app knows the second by its id.
    copies = 2 if point in {mortal_effects.ANSWERED, mortal_effects.WRITTEN} else 1
    if channel is Channel.SMS:
        assert len(sns.texts(ann.phone_number)) == copies
    else:
        ids = [json.loads(pushed["APNS"])["notification_id"] for pushed in sns.pushes(ann.push_endpoint)]
        assert ids == [(await idle_office.messages(ann.user_id))[-1].id] * copies
