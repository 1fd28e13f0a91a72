"""The gRPC server of a service: its methods behind `Serving`, health, reflection, and a drain that loses no call."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from services.chassis import tasks, tracing
from services.chassis.rpc import identity, policy, reasons
from services.chassis.rpc.serving import Serving

# A drain waits this long for calls that are being served, in seconds.
DRAIN_S = 20.0
# And this long for answers to reach their callers after the last call was served.
FLUSH_S = 2.0
# Between "not serving" and the end of accepting: balancers look away meanwhile. The chart's preStop makes it longer.
LOOK_AWAY_S = 0.2
# Above gRPC's soft limit it refuses calls at random, so the two are one; the edge lets in less (`gateway/envoy/headers.py`).
MOST_METADATA_BYTES = 24 * 1024
# What gRPC itself reads of a message, decompressed: more ends the call without a reason, before it is decompressed. It is
# more than the edge lets through; each method's own limit comes from the contract, is smaller, and has a reason.
MOST_MESSAGE_BYTES = 1536 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MOST_METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", MOST_METADATA_BYTES),
    # Connections end after a while, so that new pods get their share of them; calls under way may finish.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    # Two servers on one port would each see half of the calls: a port in use is an error.
    ("grpc.so_reuseport", 0),
]


class _Recorder:
    """Stands in for a server while generated code adds a servicer to it, and keeps the handlers."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same handlers again, in another form."""

    def add_registered_method_handlers(self, _service: str, handlers: Mapping[str, Any]) -> None:
        """Keep them."""
        self.handlers = dict(handlers)


@dataclass(frozen=True, slots=True)
class Servicer:
    """A servicer, the generated function that adds it to a server, and the contract's description of it."""

    descriptor: ServiceDescriptor
    add: Callable[[Any, Any], None]
    implementation: Any


@dataclass(frozen=True, slots=True)
class Extras:
    """What a server does besides serving: makes spans, shows its contract by reflection to whoever reaches it."""

    traced: bool = False
    reflected: bool = False


class Server:
    """The gRPC server of one service. Not serving, then drained, when it stops."""

    def __init__(self, service: str, listen: str, gate: identity.Gate, servicer: Servicer, extras: Extras) -> None:
        self._service = service
        self._listen = listen
        self._gate = gate
        self._servicer = servicer
        self._extras = extras
        self._health = HealthServicer()
        self._serving: Serving | None = None
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken."""
        logging.getLogger("grpc._cython.cygrpc").addFilter(_not_about_a_header)
        self._serving = Serving(self._service, self._gate, reasons.of_service(self._servicer.descriptor.full_name))
        self._server = grpc.aio.server(
            interceptors=tracing.server_interceptors(enabled=self._extras.traced), options=OPTIONS
        )
        name = self._servicer.descriptor.full_name
        handlers = grpc.method_handlers_generic_handler(name, self._wrapped(self._serving))
        self._server.add_generic_rpc_handlers((handlers,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._extras.reflected:
            names = (name, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)
        try:
            if own := self._gate.own:
                self._server.add_secure_port(self._listen, own.for_server())
            else:
                self._server.add_insecure_port(self._listen)
        except RuntimeError as error:
            raise OSError(f"{self._service}: cannot listen on {self._listen}; is it in use?") from error
        await self._server.start()
        await self._serving.start()
        await self._report(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Say "not serving", let balancers look away, take no new call, end streams, finish the calls under way."""
        if not self._server or not self._serving:
            return
        await self._report(health_pb2.HealthCheckResponse.NOT_SERVING)
        await asyncio.sleep(LOOK_AWAY_S)
        self._serving.end_streams()
        stopping = tasks.spawn(self._server.stop(DRAIN_S), name="server-stop")
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._serving.drained()
        finally:
            # No method is at work any more: what is left are answers on their way, some to callers that do not read them.
            await self._server.stop(FLUSH_S)
            await stopping
            await self._serving.stop()

    async def _report(self, state: Any) -> None:
        for name in ("", self._servicer.descriptor.full_name):
            await self._health.set(name, state)

    def _wrapped(self, serving: Serving) -> dict[str, Any]:
        recorder = _Recorder()
        self._servicer.add(self._servicer.implementation, recorder)
        policies = policy.of_service(self._servicer.descriptor)
        return {name: _wrap(serving, policies[name], handler) for name, handler in recorder.handlers.items()}


def _not_about_a_header(record: logging.LogRecord) -> bool:
    """Whether a record of gRPC's is anything else than a caller's header that is not text.

    gRPC logs each with its bytes and a stack: anybody could fill the log. Such a header is read as Latin-1.
    """
    return not str(record.msg).startswith("Invalid encoding on")


def _wrap(serving: Serving, method: policy.Method, handler: Any) -> Any:
    """A handler that is given bytes: what gRPC itself cannot parse it would answer in its own words."""
    codec = {"request_deserializer": None, "response_serializer": handler.response_serializer}
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(serving.upload(method, handler), **codec)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(serving.stream(method, handler), **codec)
    return grpc.unary_unary_rpc_method_handler(serving.unary(method, handler), **codec)
