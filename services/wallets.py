"""How what customers saved to pay with becomes the provider's token: the user service keeps it, order and payment may ask."""

from services.chassis.rpc import client
from souk.user.v1 import payment_methods_pb2, user_service_pb2_grpc

# Names the payment method that its owner made the default.
DEFAULT = "default"
# How long the user service may take, in seconds: a customer waits for the answer.
PATIENCE_S = 2.0


class UserWallets:
    """The user service, as it keeps payment methods."""

    def __init__(self, peer: client.Peer) -> None:
        self._peer = peer
        self._stub = user_service_pb2_grpc.UserServiceStub(peer.channel)

    async def token(self, user_id: str, method: str) -> str:
        """The token of a method that this user saved, by its id, or of the user's default.

        Raises PAYMENT_METHOD_NOT_FOUND, also when it is somebody else's, or TransientError when nobody answers.
        """
        named = "" if method == DEFAULT else method
        request = payment_methods_pb2.ResolvePaymentMethodRequest(user_id=user_id, id=named)
        answer = await self._peer.call(self._stub.ResolvePaymentMethod, request, timeout_s=PATIENCE_S)
        return str(answer.provider_token)
