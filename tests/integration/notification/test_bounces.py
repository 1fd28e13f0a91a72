"""Mail that comes back after it was sent, and readers who complain: signed news of it, each of which counts once."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database, errors, signatures
from services.notification import bouncing, domain, store, usecases
from services.notification.domain import Channel, Kind
from services.notification.store import feedback as rows
from souk.notification.v1 import notification_service_pb2, notification_service_pb2_grpc
from souk.user.v1 import user_events_pb2
from tests.integration.notification import mortal_bounce
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, abandoned, confirmed, new_id, registered
from tests.support import calls, mortal

BOUNCED = "BOUNCED: General 5.1.1"
HEARD = database.Statement("SELECT count(*) FROM mail_feedback")
CONTACT = database.Statement("SELECT email = bounced_email FROM contacts WHERE user_id = %(user)s")
DETAILS = database.Statement("SELECT details FROM notifications WHERE id = %(id)s")


@dataclass
class Relay:
    """Who tells the service in SES's words what became of mail."""

    stub: Any
    office: PostOffice

    async def tell(self, event: Any, *, secret: str = "whsec_new", age_s: int = 0) -> None:  # noqa: S107
        """Send an event as a relay signs it."""
        body, seconds = json.dumps(event).encode(), int(time.time()) - age_s
        signature = f"t={seconds},v1={signatures.code(secret, f'{seconds}.'.encode() + body)}"
        request = notification_service_pb2.ReceiveBounceRequest(event={"data": body})
        await self.stub.ReceiveBounce(request, metadata=(("webhook-signature", signature),))

    async def written(self) -> tuple[str, str]:
        """A user who was welcomed by mail: the user, and the mail's Message-ID."""
        user = new_id()
        await self.office.hear(registered(user, address(user)))
        await self.office.reach(user, "SENT")
        [mail] = self.office.mails(address(user))
        return user, str(mail["Message-ID"])

    async def heard(self) -> int:
        [[count]] = await self.office.db.read(HEARD, {})
        return int(count)


def address(user: str) -> str:
    return f"{user}@example.com"


def mailed(user: str, message_id: str) -> dict[str, Any]:
    """SES's words about the mail that something happened to."""
    return {"destination": [address(user).upper()], "headers": [{"name": "Message-ID", "value": message_id}]}


def came_back(user: str, message_id: str, *, kind: str = "Permanent", feedback: str = "") -> dict[str, Any]:
    recipient = {"emailAddress": address(user), "status": "5.1.1", "diagnosticCode": f"smtp; 550 <{address(user)}>"}
    about = {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [recipient]}
    about |= {"feedbackId": feedback or new_id()}
    return {"notificationType": "Bounce", "bounce": about, "mail": mailed(user, message_id)}


def complained(user: str, message_id: str, *, feedback: str = "") -> dict[str, Any]:
    about = {"feedbackId": feedback or new_id(), "complaintFeedbackType": "abuse"}
    return {"notificationType": "Complaint", "complaint": about, "mail": mailed(user, message_id)}


@pytest_asyncio.fixture
async def relay(office: PostOffice) -> AsyncIterator[Relay]:
    async with calls.served(offices.servicer(office), "notification") as shop:
        yield Relay(notification_service_pb2_grpc.NotificationServiceStub(shop.channel), office)


async def wish(office: PostOffice, user: str) -> None:
    """The user wants offers, by mail and by text message."""
    change = domain.PreferencesChange({Kind.MARKETING: frozenset({Channel.EMAIL, Channel.SMS})}, "+14155550100")
    await usecases.Preferences(office.db).update(user, change)


async def offers(office: PostOffice, user: str) -> list[Channel]:
    return (await usecases.Preferences(office.db).get(user, owner_id=None)).channels(Kind.MARKETING)


async def test_mail_that_came_back_has_failed_and_no_other_goes_to_its_address(relay: Relay) -> None:
    user, message_id = await relay.written()

    await relay.tell(came_back(user, message_id))
    await relay.office.hear(confirmed(new_id(), user))

    await relay.office.reach(user, "FAILED", "FAILED")
    assert [message.reason for message in await relay.office.messages(user)] == [BOUNCED, "ADDRESS_BOUNCED"]
    assert len(relay.office.mails(address(user))) == 1


async def test_a_new_address_gets_mail_again(relay: Relay) -> None:
    user, message_id = await relay.written()
    await relay.tell(came_back(user, message_id))

    other = f"new-{address(user)}"
    changed = user_events_pb2.UserChanged(user_id=user, email=other, display_name="Ann", version=2)
    await relay.office.hear(changed, confirmed(new_id(), user))

    await relay.office.reach(user, "FAILED", "SENT")
    assert len(relay.office.mails(other)) == 1


async def test_a_bounce_from_an_address_that_was_changed_meanwhile_fails_the_mail_and_stops_no_other(
    relay: Relay,
) -> None:
    user, message_id = await relay.written()
    changed = user_events_pb2.UserChanged(user_id=user, email=f"new-{address(user)}", display_name="Ann", version=2)
    await relay.office.hear(changed)

    await relay.tell(came_back(user, message_id))
    await relay.office.hear(confirmed(new_id(), user))

    await relay.office.reach(user, "FAILED", "SENT")


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
async def test_a_temporary_bounce_changes_nothing(relay: Relay, kind: str) -> None:
    user, message_id = await relay.written()

    await relay.tell(came_back(user, message_id, kind=kind))
    await relay.office.hear(confirmed(new_id(), user))

    await relay.office.reach(user, "SENT", "SENT")
    assert await relay.heard() == 0


async def test_a_bounce_that_comes_again_changes_nothing(relay: Relay) -> None:
    user, message_id = await relay.written()
    event = came_back(user, message_id)
    await relay.tell(event)
    mended = database.Statement("UPDATE contacts SET bounced_email = '' WHERE user_id = %(user)s RETURNING 1")
    await relay.office.db.read(mended, {"user": user})

    await relay.tell(event, secret="whsec_old")
    await relay.office.hear(confirmed(new_id(), user))

    await relay.office.reach(user, "FAILED", "SENT")
    assert await relay.heard() == 1


async def test_a_bounce_that_overtakes_the_settlement_of_its_mail_counts(
    idle_office: PostOffice,
) -> None:
    user = new_id()
    await idle_office.hear(registered(user, address(user)))
    async with idle_office.db.transaction() as transaction:
        [claimed] = await store.claim(transaction, Channel.EMAIL, most=1, lease_s=30)

    message = claimed.notification.id
    await bouncing.Bouncing(idle_office.db).hear(mortal_bounce.feedback(new_id(), message, address(user)))
    async with idle_office.db.transaction() as transaction:
        await store.settle(transaction, [store.Settled(claimed, domain.State.SENT, "", None, counted=True)])

    [found] = await idle_office.messages(user)
    assert (found.state, found.reason) == ("FAILED", BOUNCED)


async def test_the_text_of_a_sensitive_mail_that_bounces_before_it_is_settled_is_erased(
    idle_office: PostOffice,
) -> None:
    user = new_id()
    wanted = domain.Message(user, "Reset", "https://shop.example/secret", "user", sensitive=True, early=True)
    made = await idle_office.notifications.send(wanted)

    await bouncing.Bouncing(idle_office.db).hear(mortal_bounce.feedback(new_id(), made.id, address(user)))

    assert await idle_office.db.read(DETAILS, {"id": made.id}) == [({},)]


async def test_a_complaint_ends_offers_by_mail_once_and_leaves_what_else_is_sent(relay: Relay) -> None:
    user, message_id = await relay.written()
    await wish(relay.office, user)
    event = complained(user, message_id)

    await relay.tell(event)

    assert await offers(relay.office, user) == [Channel.SMS]
    await relay.office.hear(abandoned(user, new_id()), confirmed(new_id(), user))
    assert len([m for m in await relay.office.messages(user) if m.template == "order_confirmed"]) == 1
    # Who asks for offers again later is not unsubscribed by news of before.
    await wish(relay.office, user)
    await relay.tell(event)
    assert await offers(relay.office, user) == [Channel.EMAIL, Channel.SMS]


async def test_a_complaint_before_or_behind_a_bounce_does_the_same(relay: Relay) -> None:
    for first, second in ((came_back, complained), (complained, came_back)):
        user, message_id = await relay.written()
        await wish(relay.office, user)

        await relay.tell(first(user, message_id))
        await relay.tell(second(user, message_id))

        [message] = await relay.office.messages(user)
        assert (message.state, message.reason) == ("FAILED", BOUNCED)
        assert await offers(relay.office, user) == [Channel.SMS]


async def test_news_of_mail_that_is_not_ours_are_accepted_and_change_nothing(relay: Relay) -> None:
    user, _ = await relay.written()

    for message_id in (f"<{new_id()}@souk.test>", "<campaign-7@elsewhere.example>", ""):
        await relay.tell(came_back(user, message_id))
        await relay.tell(complained(user, message_id))
    await relay.tell({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed."})
    await relay.office.hear(confirmed(new_id(), user))

    await relay.office.reach(user, "SENT", "SENT")


@pytest.mark.parametrize(("secret", "age_s"), [("a-guess", 0), ("whsec_new", 400)], ids=["forged", "old"])
async def test_news_that_nobody_signed_lately_are_refused_and_change_nothing(
    relay: Relay, secret: str, age_s: int
) -> None:
    user, message_id = await relay.written()

    error = await calls.refused(relay.tell(came_back(user, message_id), secret=secret, age_s=age_s))

    assert (error.code, error.reason) == (errors.Code.UNAUTHENTICATED, "SIGNATURE_INVALID")
    assert [message.state for message in await relay.office.messages(user)] == ["SENT"]


async def test_what_is_no_news_is_refused(relay: Relay) -> None:
    assert (await calls.refused(relay.tell({"notificationType": "Bounce"}))).reason == "EVENT_INVALID"


@pytest.mark.parametrize("at", mortal.POINTS)
async def test_a_mail_that_came_back_fails_and_stops_its_address_once_through_a_death(
    idle_office: PostOffice, database_url: str, at: str
) -> None:
    user, news = new_id(), new_id()
    await idle_office.hear(registered(user, address(user)))
    [message] = await idle_office.messages(user)

    words = {"FEEDBACK": news, "MESSAGE": message.id, "ADDRESS": address(user)}
    mortal.dies(mortal_bounce.MODULE, database_url, at=at, **words)
    done = at == mortal.COMMITTED
    [left] = await idle_office.messages(user)
    assert await idle_office.db.read(CONTACT, {"user": user}) == [(done,)]
    assert (left.state, left.reason) == (("FAILED", BOUNCED) if done else ("QUEUED", ""))

    await bouncing.Bouncing(idle_office.db).hear(mortal_bounce.feedback(news, message.id, address(user)))
    assert await idle_office.db.read(CONTACT, {"user": user}) == [(True,)]
    [left] = await idle_office.messages(user)
    assert (left.state, left.reason) == ("FAILED", BOUNCED)


async def test_news_of_an_erased_account_leave_nothing_of_it(relay: Relay) -> None:
    user, message_id = await relay.written()
    await relay.office.hear(user_events_pb2.UserErased(user_id=user))
    await relay.office.erasing.work()

    await relay.tell(came_back(user, message_id))
    await relay.tell(complained(user, message_id))

    kept = "SELECT user_id FROM contacts WHERE user_id = %(user)s UNION SELECT user_id FROM preferences WHERE user_id = %(user)s"
    assert await relay.office.db.read(database.Statement(kept), {"user": user}) == []
    assert [message.reason for message in await relay.office.messages(user)] == [BOUNCED]


async def test_notes_of_news_are_forgotten_when_they_are_old(relay: Relay) -> None:
    user, message_id = await relay.written()
    await relay.tell(came_back(user, message_id))

    assert await bouncing.Bouncing(relay.office.db).forget() == 0
    assert await rows.forget(relay.office.db, kept=timedelta(0), most=10) == 1
    assert await relay.heard() == 0
