"""Traces: OpenTelemetry, on only when OTEL_EXPORTER_OTLP_ENDPOINT says where to send them.

Unsampled work pays next to nothing: spans of ours are made only below a span that records, and the gRPC
interceptors are entered only for calls whose `traceparent` is sampled (they cost 100 microseconds a call otherwise).
Trace context crosses Kafka in the `traceparent` header that the outbox keeps with each event.
"""

import contextvars
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import grpc
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("souk")
_NOTHING: AbstractContextManager[None] = nullcontext()
HEADER = "traceparent"
# W3C Trace Context: version, trace id, parent id, flags; a later version may have more after them. All zero is no id.
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED_FLAG = 1
_TRACE_ID = slice(3, 35)
# In a batch: whose trace an event with which key belongs to.
_causes: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("causes", default=MappingProxyType({}))
# The caller's `traceparent`, where no span of ours is: calls and events carry it on although nothing is recorded.
_entered: contextvars.ContextVar[str] = contextvars.ContextVar("traceparent", default="")


def configure(service: str, endpoint: str, *, ratio: float) -> None:
    """Send the spans of this process to an OTLP endpoint; nothing when it is empty. ratio of new traces is sampled."""
    if not endpoint:
        return
    # Imported here: the SDK and its exporter cost 20 MB and 300 ms that a process without traces need not pay.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.instrumentation.redis import RedisInstrumentor  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({"service.name": service}), sampler=ParentBasedTraceIdRatio(ratio)
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=True)))
    trace.set_tracer_provider(provider)
    RedisInstrumentor().instrument()


def span(name: str, **attributes: str) -> AbstractContextManager[Any]:
    """A span below the current one, when that one records; otherwise nothing."""
    if not trace.get_current_span().is_recording():
        return _NOTHING
    return _TRACER.start_as_current_span(name, attributes=attributes)


def traceparent() -> str:
    """The W3C `traceparent` of the current span, or the one that was entered; empty outside a trace."""
    if not trace.get_current_span().get_span_context().is_valid:
        return _entered.get()
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


def enter(parent: str) -> str:
    """Work in the trace of this `traceparent` until the task ends. Answers its id: empty without one, or when malformed."""
    found = _parsed(parent)
    _entered.set(parent if found else "")
    return found[1] if found else ""


@contextmanager
def causing(parents: Mapping[str, str]) -> Iterator[None]:
    """What is emitted here was caused by these: `traceparent`s by the key of the aggregate that the event is about.

    When all of them are one, it is the trace of everything that is emitted here.
    """
    every = set(parents.values())
    causes = _causes.set(parents)
    entered = _entered.set(every.pop() if len(every) == 1 else "")
    try:
        yield
    finally:
        _causes.reset(causes)
        _entered.reset(entered)


@dataclass(frozen=True, slots=True)
class Origin:
    """What is emitted at one moment comes from here: the current trace, and the causes by key."""

    current: str
    causes: Mapping[str, str]

    def traceparent(self, key: str) -> str:
        """For an event with this key: of the call or event that caused it, or the current span's in the same trace.

        Empty when what caused it is in no trace; the current one for a key that nothing here is the cause of.
        """
        parent = self.causes.get(key)
        return self.current if parent is None or parent[_TRACE_ID] == self.current[_TRACE_ID] else parent


def origin() -> Origin:
    """Where what is emitted now comes from."""
    return Origin(traceparent(), _causes.get())


def is_sampled(parent: str) -> bool:
    """Whether a `traceparent` asks for spans: the lowest of its flags."""
    found = _parsed(parent)
    return bool(found and int(found[2], 16) & _SAMPLED_FLAG)


def _parsed(parent: str) -> re.Match[str] | None:
    found = _PARENT.fullmatch(parent) if parent else None
    # Version 00 has nothing after its flags.
    return None if found and found[3] is not None and parent.startswith("00") else found


@contextmanager
def continued(name: str, parents: Sequence[str]) -> Iterator[None]:
    """A span for a batch: below the first sampled parent, linked to the others. Nothing when none is sampled."""
    sampled = [parent for parent in parents if parent and is_sampled(parent)]
    if not sampled:
        yield
        return
    contexts = [_PROPAGATOR.extract({"traceparent": parent}) for parent in sampled]
    links = [trace.Link(trace.get_current_span(other).get_span_context()) for other in contexts[1:]]
    token = otel_context.attach(contexts[0])
    try:
        with _TRACER.start_as_current_span(name, links=links):
            yield
    finally:
        otel_context.detach(token)


class SampledServerInterceptor(grpc.aio.ServerInterceptor):
    """Enters OpenTelemetry's server interceptor only for calls that are sampled."""

    def __init__(self, inner: grpc.aio.ServerInterceptor) -> None:
        self._inner = inner

    async def intercept_service(self, continuation: Any, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of the call, with a span around it when the caller's trace is sampled."""
        metadata: Mapping[str, Any] = dict(handler_call_details.invocation_metadata or ())
        if is_sampled(str(metadata.get(HEADER, ""))):
            return await self._inner.intercept_service(continuation, handler_call_details)
        return await continuation(handler_call_details)


def server_interceptors(*, enabled: bool) -> list[grpc.aio.ServerInterceptor]:
    """OpenTelemetry's interceptor of servers, for sampled calls; none when traces are off."""
    if not enabled:
        return []
    from opentelemetry.instrumentation.grpc import aio_server_interceptor  # noqa: PLC0415 - as above

    return [SampledServerInterceptor(aio_server_interceptor())]


def client_interceptors(*, enabled: bool) -> list[grpc.aio.ClientInterceptor]:
    """OpenTelemetry's interceptors of channels; none when traces are off."""
    if not enabled:
        return []
    from opentelemetry.instrumentation.grpc import aio_client_interceptors  # noqa: PLC0415 - as above

    return list(aio_client_interceptors())
