"""What people want to be told where: their own choice, within what the shop must be able to say."""

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from services.chassis import errors
from services.notification.domain import Channel, Kind
from souk.notification.v1 import (
    notification_pb2,
    notification_service_pb2,
    notification_service_pb2_grpc,
    preferences_pb2,
)
from tests.integration.notification import post_office as offices
from tests.integration.notification.post_office import PostOffice, abandoned, confirmed, new_id, registered
from tests.support import calls

NUMBER = "+4915112345678"
DEVICE = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/souk/0190a000-0000-7000-8000-000000000000"
USUAL = {"ACCOUNT": ["EMAIL"], "ORDER": ["EMAIL"], "PAYMENT": ["EMAIL"], "MARKETING": [], "STOCK": ["EMAIL"]}


def choice(kind: Kind, *channels: Channel) -> preferences_pb2.Choice:
    return preferences_pb2.Choice(
        kind=notification_pb2.Notification.Kind.Value(kind),
        channels=[notification_pb2.Notification.Channel.Value(channel) for channel in channels],
    )


def chosen(preferences: preferences_pb2.Preferences) -> dict[str, list[str]]:
    return {
        notification_pb2.Notification.Kind.Name(one.kind): [
            notification_pb2.Notification.Channel.Name(channel) for channel in one.channels
        ]
        for one in preferences.choices
    }


@dataclass
class Desk:
    """Where people say what they want."""

    office: PostOffice
    shop: calls.Shop
    stub: Any
    admin: str = dataclasses.field(default_factory=new_id)

    async def get(self, caller: str, *roles: str, of: str = "") -> preferences_pb2.Preferences:
        request = notification_service_pb2.GetPreferencesRequest(user_id=of)
        answer: preferences_pb2.Preferences
        answer = await self.stub.GetPreferences(request, metadata=self.shop.as_user(caller, *roles))
        return answer

    async def update(
        self, caller: str, *choices: preferences_pb2.Choice, **changed: Any
    ) -> preferences_pb2.Preferences:
        request = notification_service_pb2.UpdatePreferencesRequest(choices=choices, **changed)
        answer: preferences_pb2.Preferences
        answer = await self.stub.UpdatePreferences(request, metadata=self.shop.as_user(caller))
        return answer

    async def send(
        self, user: str, kind: Kind, *channels: Channel, request_id: str = ""
    ) -> notification_pb2.Notification:
        """Send a message as an administrator."""
        request = notification_service_pb2.SendNotificationRequest(
            user_id=user,
            subject="News",
            text="Here they are.",
            request_id=request_id,
            kind=notification_pb2.Notification.Kind.Value(kind),
            channels=[notification_pb2.Notification.Channel.Value(channel) for channel in channels],
        )
        sent: notification_pb2.Notification
        sent = await self.stub.SendNotification(request, metadata=self.shop.as_user(self.admin, "ADMIN"))
        return sent

    async def queued(self, user: str) -> list[tuple[str, str]]:
        """What waits for somebody: template and channel, the newest first."""
        request = notification_service_pb2.ListNotificationsRequest()
        listed = await self.stub.ListNotifications(request, metadata=self.shop.as_user(user))
        return [
            (message.template, notification_pb2.Notification.Channel.Name(message.channel))
            for message in listed.notifications
        ]


@pytest_asyncio.fixture
async def desk(idle_office: PostOffice) -> AsyncIterator[Desk]:
    async with calls.served(offices.servicer(idle_office), "notification") as shop:
        yield Desk(idle_office, shop, notification_service_pb2_grpc.NotificationServiceStub(shop.channel))


async def known(desk: Desk) -> str:
    user = new_id()
    await desk.office.hear(registered(user, f"{user}@example.com"))
    return user


def fields(error: errors.DomainError) -> set[str]:
    return {violation.field for violation in error.violations}


async def test_who_chose_nothing_gets_mail_and_no_offers(desk: Desk) -> None:
    user = new_id()
    usual = await desk.get(user)
    assert (usual.user_id, chosen(usual)) == (user, USUAL)
    assert (usual.phone_number, usual.push_endpoint) == ("", "")


async def test_what_is_chosen_stays_chosen_and_what_is_left_out_stays_as_it_was(desk: Desk) -> None:
    user = new_id()
    await desk.update(user, choice(Kind.ORDER, Channel.PUSH, Channel.SMS), phone_number=NUMBER, push_endpoint=DEVICE)
    await desk.update(user, choice(Kind.MARKETING, Channel.EMAIL))
    seen = await desk.get(user)
    assert chosen(seen) == USUAL | {"ORDER": ["SMS", "PUSH"], "MARKETING": ["EMAIL"]}
    assert (seen.phone_number, seen.push_endpoint) == (NUMBER, DEVICE)
    assert await desk.update(user, choice(Kind.ORDER), phone_number="", push_endpoint="") == await desk.get(user)
    assert chosen(await desk.get(user))["ORDER"] == []


async def test_mail_about_the_account_cannot_be_switched_off(desk: Desk) -> None:
    user = new_id()
    error = await calls.refused(desk.update(user, choice(Kind.ACCOUNT)))
    assert (error.code, error.reason) == (errors.Code.INVALID_ARGUMENT, "CHANNEL_REQUIRED")
    assert fields(error) == {"choices"}
    assert chosen(await desk.get(user)) == USUAL


async def test_a_channel_that_leads_nowhere_cannot_be_chosen_and_one_in_use_keeps_its_address(desk: Desk) -> None:
    user = new_id()
    error = await calls.refused(desk.update(user, choice(Kind.ORDER, Channel.SMS, Channel.PUSH)))
    assert (error.reason, fields(error)) == ("CHANNEL_WITHOUT_ADDRESS", {"phone_number", "push_endpoint"})
    await desk.update(user, choice(Kind.ORDER, Channel.SMS), phone_number=NUMBER)
    error = await calls.refused(desk.update(user, phone_number=""))
    assert (error.reason, fields(error)) == ("CHANNEL_WITHOUT_ADDRESS", {"phone_number"})
    assert (await desk.get(user)).phone_number == NUMBER


async def test_an_administrator_sees_anybodys_and_nobody_else_does(desk: Desk) -> None:
    user = await known(desk)
    await desk.update(user, phone_number=NUMBER)
    assert (await desk.get(new_id(), "ADMIN", of=user.upper())).phone_number == NUMBER
    for caller, role, of in ((new_id(), "CUSTOMER", user), (new_id(), "VENDOR", user), (new_id(), "ADMIN", new_id())):
        error = await calls.refused(desk.get(caller, role, of=of))
        assert (error.code, error.reason) == (errors.Code.NOT_FOUND, "USER_NOT_FOUND")
    assert chosen(await desk.get(user, of=user)) == USUAL


async def test_a_choice_counts_for_what_happens_from_then_on(desk: Desk) -> None:
    user = await known(desk)
    await desk.office.hear(confirmed(new_id(), user))
    await desk.update(user, choice(Kind.ORDER, Channel.SMS), phone_number=NUMBER)
    await desk.office.hear(confirmed(new_id(), user))
    assert await desk.queued(user) == [("order_confirmed", "SMS"), ("order_confirmed", "EMAIL"), ("welcome", "EMAIL")]


async def test_a_message_goes_over_the_channels_that_are_chosen_for_its_kind(desk: Desk) -> None:
    user = await known(desk)
    await desk.update(user, choice(Kind.MARKETING, Channel.EMAIL, Channel.SMS), phone_number=NUMBER)
    request_id = new_id()
    first = await desk.send(user, Kind.MARKETING, request_id=request_id)
    assert first.channel == notification_pb2.Notification.EMAIL
    await desk.update(user, choice(Kind.MARKETING))
    assert (await desk.send(user, Kind.MARKETING, request_id=request_id)).id == first.id
    assert sorted(await desk.queued(user)) == [("message", "EMAIL"), ("message", "SMS"), ("welcome", "EMAIL")]


async def test_a_message_goes_over_the_channels_that_are_named_if_they_are_wanted(desk: Desk) -> None:
    user = await known(desk)
    both = (Channel.EMAIL, Channel.SMS)
    await desk.update(user, choice(Kind.ORDER, *both), choice(Kind.ACCOUNT, *both), phone_number=NUMBER)
    assert (await desk.send(user, Kind.ORDER, Channel.SMS)).channel == notification_pb2.Notification.SMS
    assert await desk.queued(user) == [("message", "SMS"), ("welcome", "EMAIL")]
    for kind, channels in ((Kind.ORDER, [Channel.SMS, Channel.PUSH]), (Kind.MARKETING, []), (Kind.MARKETING, both)):
        error = await calls.refused(desk.send(user, kind, *channels))
        assert (error.code, error.reason) == (errors.Code.FAILED_PRECONDITION, "CHANNEL_NOT_CHOSEN")
    assert len(await desk.queued(user)) == 2


async def test_whatever_is_wrong_with_a_choice_is_said_at_once(desk: Desk) -> None:
    twice = [choice(Kind.ORDER, Channel.EMAIL), choice(Kind.ORDER)]
    error = await calls.refused(desk.update(new_id(), *twice, phone_number="0151 1234", push_endpoint="arn:aws:sns:x"))
    assert fields(error) == {"choices", "phone_number", "push_endpoint"}
    bad = [
        preferences_pb2.Choice(channels=[notification_pb2.Notification.EMAIL]),
        choice(Kind.ORDER, Channel.EMAIL, Channel.EMAIL),
        preferences_pb2.Choice(
            kind=notification_pb2.Notification.PAYMENT, channels=[notification_pb2.Notification.CHANNEL_UNSPECIFIED]
        ),
    ]
    error = await calls.refused(desk.update(new_id(), *bad))
    assert fields(error) == {"choices[0].kind", "choices[1].channels", "choices[2].channels[0]"}
    assert (await calls.refused(desk.update(new_id()))).reason == "REQUEST_INVALID"


async def test_only_who_asked_for_it_is_reminded_of_a_cart_and_once_for_each_time_it_was_left(desk: Desk) -> None:
    user, first = await known(desk), new_id()
    await desk.office.hear(abandoned(user, new_id()))
    await desk.update(user, choice(Kind.MARKETING, Channel.EMAIL))
    await desk.office.hear(abandoned(user, first))
    await desk.office.hear(abandoned(user, first))
    assert await desk.queued(user) == [("cart_reminder", "EMAIL"), ("welcome", "EMAIL")]
    await desk.office.hear(abandoned(user, new_id()))
    assert [template for template, _ in await desk.queued(user)] == ["cart_reminder", "cart_reminder", "welcome"]
