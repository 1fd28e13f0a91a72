"""Reading one's messages over gRPC: one's own, newest first, a page at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from services.chassis import errors
from souk.notification.v1 import notification_pb2, notification_service_pb2, notification_service_pb2_grpc
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, confirmed, new_id, registered
from tests.support import calls


@dataclass
class Counter:
    """Where somebody with a token asks about messages."""

    shop: calls.Shop
    stub: Any

    async def list(
        self, user_id: str, *roles: str, size: int = 0, token: str = ""
    ) -> notification_service_pb2.ListNotificationsResponse:
        request = notification_service_pb2.ListNotificationsRequest(page_size=size, page_token=token)
        metadata = self.shop.as_user(user_id, *roles)
        answer: notification_service_pb2.ListNotificationsResponse
        answer = await self.stub.ListNotifications(request, metadata=metadata)
        return answer


@pytest_asyncio.fixture
async def counter(office: PostOffice) -> AsyncIterator[Counter]:
    async with calls.served(offices.servicer(office), "notification") as shop:
        yield Counter(shop, notification_service_pb2_grpc.NotificationServiceStub(shop.channel))


async def test_a_user_reads_what_was_sent_newest_first(office: PostOffice, counter: Counter) -> None:
    user, order = new_id(), new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    await office.hear(confirmed(order, user))
    await office.reach(user, "SENT", "SENT")
    newest, oldest = (await counter.list(user)).notifications
    assert (newest.template, newest.order_id, newest.user_id) == ("order_confirmed", order, user)
    assert newest.subject == f"Your order {order} is confirmed"
    assert notification_pb2.Notification.Status.Name(newest.status) == "SENT"
    assert notification_pb2.Notification.Channel.Name(newest.channel) == "EMAIL"
    assert newest.send_time.ToDatetime() >= newest.create_time.ToDatetime()
    assert (oldest.template, oldest.order_id) == ("welcome", "")


async def test_a_message_that_waits_has_no_send_time(idle_office: PostOffice, counter: Counter) -> None:
    user = new_id()
    await idle_office.hear(confirmed(new_id(), user))
    [waiting] = (await counter.list(user)).notifications
    assert (notification_pb2.Notification.Status.Name(waiting.status), waiting.HasField("send_time")) == (
        "QUEUED",
        False,
    )


async def test_pages_show_each_message_once(office: PostOffice, counter: Counter) -> None:
    user = new_id()
    orders = [new_id() for _ in range(5)]
    for order in orders:
        await office.hear(confirmed(order, user))
    shown, token, sizes = [], "", []
    while True:
        page = await counter.list(user, size=2, token=token)
        shown += [notification.order_id for notification in page.notifications]
        sizes.append(len(page.notifications))
        token = page.next_page_token
        if not token:
            break
    assert shown == orders[::-1]
    assert sizes == [2, 2, 1]


async def test_nobody_sees_anothers_messages_not_even_an_administrator(office: PostOffice, counter: Counter) -> None:
    user = new_id()
    await office.hear(confirmed(new_id(), user))
    for roles in (("CUSTOMER",), ("ADMIN",)):
        assert list((await counter.list(new_id(), *roles)).notifications) == []


async def test_bad_input_is_refused_with_its_reason(counter: Counter) -> None:
    error = await calls.refused(counter.list(new_id(), token="nonsense"))
    assert (error.code, error.reason) == (errors.Code.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    error = await calls.refused(counter.list(new_id(), size=-1))
    assert [violation.field for violation in error.violations] == ["page_size"]
    error = await calls.refused(counter.stub.ListNotifications(notification_service_pb2.ListNotificationsRequest()))
    assert (error.code, error.reason) == (errors.Code.UNAUTHENTICATED, "TOKEN_MISSING")
