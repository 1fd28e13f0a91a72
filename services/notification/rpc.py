"""The notification service's calls: parse, call the use case, render. Next stop: `usecases.py`."""

from dataclasses import dataclass
from typing import Any

from services.chassis import errors, idempotency, ids, webhooks
from services.chassis.rpc import identity, page_tokens, server
from services.notification import domain, messages, notices, unsubscribing, usecases
from services.notification.domain import Kind
from souk.notification.v1 import (
    notification_pb2,
    notification_service_pb2,
    notification_service_pb2_grpc,
    preferences_pb2,
)

DESCRIPTOR = notification_service_pb2.DESCRIPTOR.services_by_name["NotificationService"]


@dataclass(frozen=True, slots=True)
class Public:
    """What is reached without a login: the links by which mail is unsubscribed, and where news of mail come in."""

    links: unsubscribing.Unsubscribing
    hooks: webhooks.Door[domain.Feedback]


class NotificationServicer(notification_service_pb2_grpc.NotificationServiceServicer):
    """`souk.notification.v1.NotificationService`; what each method promises stands in the contract."""

    def __init__(
        self,
        notifications: usecases.Notifications,
        preferences: usecases.Preferences,
        tokens: page_tokens.PageTokens,
        public: Public,
    ) -> None:
        self._public = public
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
            notifications=[messages.of_notification(notification) for notification in found.rows], next_page_token=token
        )

    async def SendNotification(
        self, request: notification_service_pb2.SendNotificationRequest, _: Any
    ) -> notification_pb2.Notification:
        caller = identity.caller()
        if request.email and not caller.service:
            wrong = errors.Violation("email", "only services choose an address", "ADDRESS_NOT_ALLOWED")
            raise errors.invalid("ADDRESS_NOT_ALLOWED", "only services choose an address", wrong)
        message = domain.Message(
            user_id=request.user_id.lower(),
            subject=request.subject,
            text=request.text,
            actor=caller.user_id or caller.service,
            request_id=request.request_id,
            fingerprint=idempotency.fingerprint(request),
            kind=messages.kind(request.kind) if request.kind else Kind.ACCOUNT,
            channels=tuple(messages.channels(request.channels)),
            sensitive=request.sensitive,
            early=bool(caller.service),
            email=request.email,
        )
        return messages.of_notification(await self._notifications.send(message))

    async def GetPreferences(
        self, request: notification_service_pb2.GetPreferencesRequest, _: Any
    ) -> preferences_pb2.Preferences:
        caller = identity.caller()
        user_id = request.user_id.lower() or caller.user_id
        owner_id = caller.user_id if user_id == caller.user_id else caller.owner_id
        return messages.of_preferences(await self._preferences.get(user_id, owner_id=owner_id))

    async def UpdatePreferences(
        self, request: notification_service_pb2.UpdatePreferencesRequest, _: Any
    ) -> preferences_pb2.Preferences:
        change = domain.PreferencesChange(
            {messages.kind(choice.kind): frozenset(messages.channels(choice.channels)) for choice in request.choices},
            request.phone_number if request.HasField("phone_number") else None,
            request.push_endpoint if request.HasField("push_endpoint") else None,
            domain.Language(request.language) if request.HasField("language") else None,
            messages.quiet_hours(request.quiet_hours) if request.HasField("quiet_hours") else None,
        )
        return messages.of_preferences(await self._preferences.update(identity.caller().user_id, change))

    async def ShowUnsubscribe(
        self, request: notification_service_pb2.ShowUnsubscribeRequest, _: Any
    ) -> notification_service_pb2.ShowUnsubscribeResponse:
        found = await self._public.links.read(request.token)
        return notification_service_pb2.ShowUnsubscribeResponse(page=messages.page_that_asks(found.kind))

    async def Unsubscribe(
        self, request: notification_service_pb2.UnsubscribeRequest, _: Any
    ) -> notification_service_pb2.UnsubscribeResponse:
        found = await self._public.links.unsubscribe(request.token)
        return notification_service_pb2.UnsubscribeResponse(page=messages.page_that_says(found.kind))

    async def ReceiveBounce(
        self, request: notification_service_pb2.ReceiveBounceRequest, context: Any
    ) -> notification_service_pb2.ReceiveBounceResponse:
        came = webhooks.Came(notices.SENDER, context.invocation_metadata(), request.event.data)
        await self._public.hooks.receive(came)
        return notification_service_pb2.ReceiveBounceResponse()


def servicer(
    notifications: usecases.Notifications,
    preferences: usecases.Preferences,
    tokens: page_tokens.PageTokens,
    public: Public,
) -> server.Servicer:
    """The servicer, ready to be served."""
    add = notification_service_pb2_grpc.add_NotificationServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, NotificationServicer(notifications, preferences, tokens, public))
