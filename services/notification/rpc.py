"""The notification service's calls: parse, call the use case, render. Next stop: `usecases.py`."""

from collections.abc import Iterable
from typing import Any

from services.chassis import idempotency, ids
from services.chassis.rpc import identity, page_tokens, render, server
from services.notification import domain, usecases
from services.notification.domain import Channel, Kind
from souk.notification.v1 import (
    notification_pb2,
    notification_service_pb2,
    notification_service_pb2_grpc,
    preferences_pb2,
)

DESCRIPTOR = notification_service_pb2.DESCRIPTOR.services_by_name["NotificationService"]


class NotificationServicer(notification_service_pb2_grpc.NotificationServiceServicer):
    """`souk.notification.v1.NotificationService`; what each method promises stands in the contract."""

    def __init__(
        self,
        notifications: usecases.Notifications,
        preferences: usecases.Preferences,
        tokens: page_tokens.PageTokens,
    ) -> None:
        self._tokens = tokens
        self._notifications = notifications
        self._preferences = preferences

    async def ListNotifications(
        self, request: notification_service_pb2.ListNotificationsRequest, _: Any
    ) -> notification_service_pb2.ListNotificationsResponse:
        caller = identity.caller().user_id
        page = await self._tokens.page(request, caller, key=ids.check)
        found = await self._notifications.list(caller, page)
        token = await self._tokens.token(request, caller, found.next_after)
        return notification_service_pb2.ListNotificationsResponse(
            notifications=[_message(notification) for notification in found.rows], next_page_token=token
        )

    async def SendNotification(
        self, request: notification_service_pb2.SendNotificationRequest, _: Any
    ) -> notification_pb2.Notification:
        message = domain.Message(
            user_id=request.user_id.lower(),
            subject=request.subject,
            text=request.text,
            actor=identity.caller().user_id,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
            kind=_kind(request.kind) if request.kind else Kind.ACCOUNT,
            channels=tuple(_channels(request.channels)),
        )
        return _message(await self._notifications.send(message))

    async def GetPreferences(
        self, request: notification_service_pb2.GetPreferencesRequest, _: Any
    ) -> preferences_pb2.Preferences:
        caller = identity.caller()
        user_id = request.user_id.lower() or caller.user_id
        owner_id = caller.user_id if user_id == caller.user_id else caller.owner_id
        return _preferences_message(await self._preferences.get(user_id, owner_id=owner_id))

    async def UpdatePreferences(
        self, request: notification_service_pb2.UpdatePreferencesRequest, _: Any
    ) -> preferences_pb2.Preferences:
        change = domain.PreferencesChange(
            {_kind(choice.kind): frozenset(_channels(choice.channels)) for choice in request.choices},
            request.phone_number if request.HasField("phone_number") else None,
            request.push_endpoint if request.HasField("push_endpoint") else None,
        )
        return _preferences_message(await self._preferences.update(identity.caller().user_id, change))


def servicer(
    notifications: usecases.Notifications, preferences: usecases.Preferences, tokens: page_tokens.PageTokens
) -> server.Servicer:
    """The servicer, ready to be served."""
    add = notification_service_pb2_grpc.add_NotificationServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, NotificationServicer(notifications, preferences, tokens))


def _message(notification: domain.Notification) -> notification_pb2.Notification:
    return notification_pb2.Notification(
        id=notification.id,
        user_id=notification.user_id,
        channel=notification_pb2.Notification.Channel.Value(notification.channel),
        template=notification.template,
        subject=notification.subject,
        status=notification_pb2.Notification.Status.Value(notification.state),
        order_id=notification.order_id,
        create_time=render.timestamp(notification.create_time),
        send_time=render.timestamp(notification.send_time) if notification.send_time else None,
    )


def _preferences_message(preferences: domain.Preferences) -> preferences_pb2.Preferences:
    choices = [
        preferences_pb2.Choice(
            kind=notification_pb2.Notification.Kind.Value(kind),
            channels=[notification_pb2.Notification.Channel.Value(channel) for channel in preferences.channels(kind)],
        )
        for kind in Kind
    ]
    return preferences_pb2.Preferences(
        user_id=preferences.user_id,
        choices=choices,
        phone_number=preferences.phone_number,
        push_endpoint=preferences.push_endpoint,
    )


def _kind(value: notification_pb2.Notification.Kind.ValueType) -> Kind:
    return Kind(notification_pb2.Notification.Kind.Name(value))


def _channels(values: Iterable[notification_pb2.Notification.Channel.ValueType]) -> list[Channel]:
    return [Channel(notification_pb2.Notification.Channel.Name(value)) for value in values]
