"""Traces: OpenTelemetry, on only when OTEL_EXPORTER_OTLP_ENDPOINT says where to send them.

Unsampled work pays next to nothing: spans of ours are made only below a span that records, and the gRPC
interceptors are entered only for calls whose `traceparent` is sampled (they cost 100 microseconds a call otherwise).
Trace context crosses Kafka in the `traceparent` header that the outbox keeps with each event.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import grpc
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("souk")
_NOTHING: AbstractContextManager[None] = nullcontext()
SAMPLED = "01"


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
    """The W3C `traceparent` of the current span; empty outside a trace."""
    if not trace.get_current_span().get_span_context().is_valid:
        return ""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


def is_sampled(parent: str) -> bool:
    """Whether a `traceparent` asks for spans."""
    return parent.endswith(SAMPLED)


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
        if is_sampled(str(metadata.get("traceparent", ""))):
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
