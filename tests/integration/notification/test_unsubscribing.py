"""Unsubscribing by one click: a POST of a link that was mailed ends mail of its kind, and looking at it ends nothing."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from services.chassis import errors
from services.notification import domain, unsubscribing, usecases
from services.notification.domain import Channel, Kind
from souk.notification.v1 import notification_service_pb2, notification_service_pb2_grpc
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, abandoned, confirmed, new_id, registered
from tests.support import calls, mails


@pytest_asyncio.fixture
async def stub(office: PostOffice) -> AsyncIterator[Any]:
    async with calls.served(offices.servicer(office), "notification") as shop:
        yield notification_service_pb2_grpc.NotificationServiceStub(shop.channel)


async def reminded(office: PostOffice) -> tuple[str, str]:
    """A user who wants reminders and got one: the user, and the token of its link."""
    user = new_id()
    await office.hear(registered(user, f"{user}@example.com"))
    wanted = domain.PreferencesChange({Kind.MARKETING: frozenset({Channel.EMAIL})})
    await usecases.Preferences(office.db).update(user, wanted)
    await office.hear(abandoned(user, new_id()))
    await office.reach(user, "SENT", "SENT")
    [mail] = [mail for mail in office.mails(f"{user}@example.com") if "cart" in mail["Subject"]]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(mail["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{offices.PUBLIC_URL}{unsubscribing.PATH}")
    assert link in mails.text(mail)
    return user, link.rpartition("/")[2]


async def wishes(office: PostOffice, user: str) -> list[Channel]:
    return (await usecases.Preferences(office.db).get(user, owner_id=None)).channels(Kind.MARKETING)


async def test_one_click_ends_the_reminders_and_repeating_it_changes_nothing(office: PostOffice, stub: Any) -> None:
    user, token = await reminded(office)
    for _ in range(2):
        await stub.Unsubscribe(notification_service_pb2.UnsubscribeRequest(token=token))
        assert await wishes(office, user) == []
    await office.hear(abandoned(user, new_id()), confirmed(new_id(), user))
    await office.reach(user, "SENT", "SENT", "SENT")
    assert [mail for mail in office.subjects(f"{user}@example.com") if "cart" in mail] == [
        "You left something in your cart"
    ]


async def test_looking_at_the_link_changes_nothing(office: PostOffice, stub: Any) -> None:
    user, token = await reminded(office)
    answer = await stub.ShowUnsubscribe(notification_service_pb2.ShowUnsubscribeRequest(token=token))
    assert answer.page.content_type == "text/html; charset=utf-8"
    assert re.search(rb'<form method="post">.*<button>Unsubscribe</button>', answer.page.data, re.DOTALL)
    assert await wishes(office, user) == [Channel.EMAIL]


async def test_a_link_that_nobody_sent_ends_nothing(office: PostOffice, stub: Any) -> None:
    user, _ = await reminded(office)
    forged = unsubscribing.made(b"guessed", unsubscribing.Subscription(user, Kind.MARKETING))
    error = await calls.refused(stub.Unsubscribe(notification_service_pb2.UnsubscribeRequest(token=forged)))
    assert (error.code, error.reason) == (errors.Code.NOT_FOUND, "UNSUBSCRIBE_TOKEN_INVALID")
    assert await wishes(office, user) == [Channel.EMAIL]


async def test_mail_about_an_order_has_no_link(office: PostOffice) -> None:
    user = new_id()
    await office.hear(registered(user, f"{user}@example.com"), confirmed(new_id(), user))
    await office.reach(user, "SENT", "SENT")
    for mail in office.mails(f"{user}@example.com"):
        assert mail["List-Unsubscribe"] is None
        assert "unsubscribe" not in mails.text(mail)
