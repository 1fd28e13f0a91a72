"""Messages in an administrator's words, and mail about money that was given back in parts."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import errors
from services.chassis.money import Money
from services.chassis.rpc import render
from souk.notification.v1 import notification_pb2, notification_service_pb2, notification_service_pb2_grpc
from souk.payment.v1 import payment_events_pb2
from tests.integration.notification import mortal_sender
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, new_id, refunded, registered
from tests.support import calls, mails, mortal


@dataclass
class Desk:
    """Where administrators send messages."""

    shop: calls.Shop
    stub: Any
    admin: str

    async def send(
        self, user: str, subject: str = "Closed on Monday", *, role: str = "ADMIN", **more: Any
    ) -> notification_pb2.Notification:
        """Send a message."""
        content: dict[str, Any] = {"text": "We move.\nBack on Tuesday."} | more
        request = notification_service_pb2.SendNotificationRequest(user_id=user, subject=subject, **content)
        metadata = self.shop.as_user(self.admin, role)
        sent: notification_pb2.Notification = await self.stub.SendNotification(request, metadata=metadata)
        return sent

    async def serve(self, user: str, subject: str, **content: Any) -> None:
        """Send a message as the user service does."""
        request = notification_service_pb2.SendNotificationRequest(user_id=user, subject=subject, **content)
        await self.stub.SendNotification(request, metadata=self.shop.as_service("user"))

    @classmethod
    def at(cls, shop: calls.Shop) -> "Desk":
        """A desk where the service is served."""
        return cls(shop, notification_service_pb2_grpc.NotificationServiceStub(shop.channel), new_id())


@pytest_asyncio.fixture
async def desk(office: PostOffice) -> AsyncIterator[Desk]:
    async with calls.served(offices.servicer(office), "notification") as shop:
        yield Desk.at(shop)


async def known(office: PostOffice) -> str:
    """A user who has an address and was welcomed."""
    user = new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    await office.reach(user, "SENT")
    return user


async def test_a_user_gets_what_an_administrator_wrote(office: PostOffice, desk: Desk) -> None:
    user = await known(office)
    sent = await desk.send(user)
    assert (sent.template, sent.subject, sent.order_id) == ("message", "Closed on Monday", "")
    await office.reach(user, "SENT", "SENT")
    [_, mail] = office.mails(f"{user}@example.com")
    assert mail["Subject"] == "Closed on Monday"
    assert mails.text(mail).splitlines()[:5] == ["Hello Ann,", "", "We move.", "Back on Tuesday.", ""]


async def test_a_repeated_request_sends_once(office: PostOffice, desk: Desk) -> None:
    user, request_id = await known(office), uuid.uuid4().hex
    first = await desk.send(user, request_id=request_id)
    assert (await desk.send(user, request_id=request_id)).id == first.id
    assert len(await office.messages(user)) == 2
    error = await calls.refused(desk.send(user, "Something else", request_id=request_id))
    assert error.reason == "REQUEST_ID_REUSED"


async def test_nobody_writes_to_nobody_and_only_administrators_write(office: PostOffice, desk: Desk) -> None:
    error = await calls.refused(desk.send(new_id()))
    assert (error.code, error.reason) == (errors.Code.NOT_FOUND, "USER_NOT_FOUND")
    user = await known(office)
    for role in ("CUSTOMER", "VENDOR"):
        assert (await calls.refused(desk.send(user, role=role))).reason == "ACCESS_DENIED"
    assert len(await office.messages(user)) == 1


async def test_a_subject_is_one_line(office: PostOffice, desk: Desk) -> None:
    error = await calls.refused(desk.send(await known(office), "One\r\nBcc: all@example.com", text=""))
    assert {violation.field for violation in error.violations} == {"subject", "text"}


async def test_every_part_that_is_given_back_is_told_of_once(office: PostOffice) -> None:
    user, order, payment = await known(office), new_id(), new_id()

    def part(cents: int, in_all: int) -> payment_events_pb2.PaymentPartlyRefunded:
        amount, total = (render.money_message(Money("USD", value)) for value in (cents, in_all))
        return payment_events_pb2.PaymentPartlyRefunded(
            order_id=order, payment_id=payment, user_id=user, amount=amount, refunded_amount=total
        )

    for message in (part(500, 500), part(500, 500), part(700, 1200)):
        await office.hear(message)
    await office.reach(user, "SENT", "SENT", "SENT")
    subjects = office.subjects(f"{user}@example.com")
    assert subjects[:2] == [f"$5.00 refunded for your order {order}", f"$7.00 refunded for your order {order}"]


async def test_the_last_refund_says_how_much_it_gave_back_and_how_much_all_did(office: PostOffice) -> None:
    user, order = await known(office), new_id()
    await office.hear(refunded(order, user, step=3000))
    await office.reach(user, "SENT", "SENT")
    [mail] = [mail for mail in office.mails(f"{user}@example.com") if order in mail["Subject"]]
    assert mail["Subject"] == f"$30.00 refunded for your order {order}"
    assert "$30.00 now, $42.00 in all" in mails.text(mail)


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_message_that_died_at_its_commit_is_sent_once(
    office: PostOffice, database_url: str, point: str
) -> None:
    user, request_id = await known(office), uuid.uuid4().hex
    mortal.dies(mortal_sender.MODULE, database_url, at=point, USER_ID=user, REQUEST_ID=request_id)
    assert len(await office.messages(user)) == (1 if point == mortal.WRITTEN else 2)
    await office.notifications.send(mortal_sender.message(user, request_id))
    await office.reach(user, "SENT", "SENT")
    assert len(office.mails(f"{user}@example.com")) == 2
