"""Calls to other services: a channel that balances and retries as the contract allows, and errors that arrive typed."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from services.chassis import database, logs, tracing
from services.chassis.rpc import certificates, deadline, identity, policy, serving, status

Response = TypeVar("Response", bound=Message)

_RETRY = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    # A server that closes while a call is under way may end it with CANCELLED. Overload (RESOURCE_EXHAUSTED) is not repeated.
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}
# No call to another service takes longer, in seconds, whatever its caller and the contract allow.
MOST_TIMEOUT_S = 10.0
# Retries stop when more than a few calls fail in a row, and resume as calls succeed: an outage is not made worse.
_THROTTLE = {"maxTokens": 20, "tokenRatio": 0.2}


def service_config(descriptor: ServiceDescriptor) -> str:
    """GRPC's own configuration for a service: balance over all addresses, retry what the contract calls repeatable."""
    methods = policy.of_service(descriptor)
    retried = [{"service": descriptor.full_name, "method": name} for name, m in methods.items() if m.retriable]
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [{"name": retried, "retryPolicy": _RETRY}] if retried else [],
        "retryThrottling": _THROTTLE,
    }
    return json.dumps(config)


class Peer:
    """Another service of the mesh: its channel, and calls over it that say who we are."""

    def __init__(self, address: str, descriptor: ServiceDescriptor, mesh: identity.Mesh, *, traced: bool) -> None:
        self._address = address
        self._descriptor = descriptor
        self._mesh = mesh
        self._traced = traced
        # Each method has a request type of its own.
        self._timeouts = {
            m.input_type.full_name: policy.of_method(m).timeout_s or MOST_TIMEOUT_S for m in descriptor.methods
        }
        # With certificates, something that stubs use as a channel.
        self.channel: Any = certificates.Channel(mesh.own, self._open) if mesh.own else self._open(None)

    def _open(self, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
        options = [
            ("grpc.service_config", service_config(self._descriptor)),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            # A peer that restarts is back within a second; the default would wait for up to two minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
            # New pods are found by asking for the name again, which gRPC does every 30 s at most by default.
            ("grpc.dns_min_time_between_resolutions_ms", 5_000),
        ]
        interceptors: Sequence[grpc.aio.ClientInterceptor] = tracing.client_interceptors(enabled=self._traced)
        if not credentials:
            return grpc.aio.insecure_channel(self._address, options=options, interceptors=interceptors)
        # However the address is written, the certificate there must be the service's.
        service = self._descriptor.full_name.split(".")[1]
        options.append(("grpc.ssl_target_name_override", service))
        return grpc.aio.secure_channel(self._address, credentials, options=options, interceptors=interceptors)

    async def start(self) -> None:
        """Nothing: the channel connects when it is first used."""

    async def stop(self) -> None:
        """Close the channel."""
        await self.channel.close()

    async def call(
        self, method: Any, request: Message, *, timeout_s: float = MOST_TIMEOUT_S, for_user: bool = False
    ) -> Any:
        """The answer of a unary method of a stub made on `channel`.

        With for_user it is called for the user whose call is being served here: their access token is passed on.

        It may take as long as the contract allows, as is left of the deadline of the call that is being served here, and as
        timeout_s: the least of them. Raises the DomainError that the other side raised; TimeoutError when the deadline of
        the call being served expired; or TransientError when there is no answer: then whether it happened is unknown.
        """
        database.require_no_transaction(request.DESCRIPTOR.full_name)
        left = deadline.left()
        seconds = min(timeout_s, self._timeouts.get(request.DESCRIPTOR.full_name, timeout_s))
        if left is not None and left <= 0:
            raise TimeoutError("the deadline expired before the call")
        metadata = self._mesh.metadata()
        if for_user:
            metadata.append(("authorization", f"Bearer {identity.caller().token}"))
        ids = logs.context.get()
        if "request_id" in ids:
            metadata.append((serving.REQUEST_ID, ids["request_id"]))
        if parent := tracing.traceparent():
            metadata.append(("traceparent", parent))
        try:
            return await method(request, metadata=metadata, timeout=seconds if left is None else min(seconds, left))
        except grpc.aio.AioRpcError as error:
            if left is not None and left <= seconds and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise TimeoutError("the deadline expired during the call") from error
            raise status.parse(error) from error
