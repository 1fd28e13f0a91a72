"""The notification service's calls: parse, call the use case, render. Next stop: `usecases.py`."""

from typing import Any

from services.chassis import idempotency, ids, pages
from services.chassis.rpc import identity, render, server
from services.notification import domain, usecases
from souk.notification.v1 import notification_pb2, notification_service_pb2, notification_service_pb2_grpc

DESCRIPTOR = notification_service_pb2.DESCRIPTOR.services_by_name["NotificationService"]


class NotificationServicer(notification_service_pb2_grpc.NotificationServiceServicer):
    """`souk.notification.v1.NotificationService`; what each method promises stands in the contract."""

    def __init__(self, notifications: usecases.Notifications) -> None:
        self._notifications = notifications

    async def ListNotifications(
        self, request: notification_service_pb2.ListNotificationsRequest, _: Any
    ) -> notification_service_pb2.ListNotificationsResponse:
        page = pages.parse(request.page_size, request.page_token, key=ids.check)
        found = await self._notifications.list(identity.caller().user_id, page)
        return notification_service_pb2.ListNotificationsResponse(
            notifications=[_message(notification) for notification in found.rows], next_page_token=found.next_token
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
        )
        return _message(await self._notifications.send(message))


def servicer(notifications: usecases.Notifications) -> server.Servicer:
    """The servicer, ready to be served."""
    add = notification_service_pb2_grpc.add_NotificationServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, NotificationServicer(notifications))


def _message(notification: domain.Notification) -> notification_pb2.Notification:
    return notification_pb2.Notification(
        id=notification.id,
        user_id=notification.user_id,
        channel=notification_pb2.Notification.EMAIL,
        template=notification.template,
        subject=notification.subject,
        status=notification_pb2.Notification.Status.Value(notification.state),
        order_id=notification.order_id,
        create_time=render.timestamp(notification.create_time),
        send_time=render.timestamp(notification.send_time) if notification.send_time else None,
    )
