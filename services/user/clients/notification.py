"""Notification, which sends what a person is told by mail."""

from services.chassis import errors
from services.chassis.rpc import client
from souk.notification.v1 import notification_pb2, notification_service_pb2, notification_service_pb2_grpc

DESCRIPTOR = notification_service_pb2.DESCRIPTOR.services_by_name["NotificationService"]


class Notification:
    """The notification service, as who sends letters. A call is repeated with its key as often as wanted."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = notification_service_pb2_grpc.NotificationServiceStub(peer.channel)

    async def send(self, user_id: str, subject: str, text: str, *, key: str) -> bool:
        """Have a mail sent whose text is not kept. False when it is not known whether it will be, or not for now."""
        request = notification_service_pb2.SendNotificationRequest(
            user_id=user_id,
            subject=subject,
            text=text,
            request_id=key,
            kind=notification_pb2.Notification.ACCOUNT,
            channels=[notification_pb2.Notification.EMAIL],
            sensitive=True,
        )
        try:
            await self._peer.call(self._stub.SendNotification, request)
        except (errors.DomainError, errors.TransientError):
            return False
        return True
