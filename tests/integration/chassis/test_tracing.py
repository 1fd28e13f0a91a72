"""One trace from a call through its SQL and its event into the consumer's SQL, received by a real OTLP endpoint."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-01"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    async def Export(self, request: Any, _: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest_asyncio.fixture
async def collected(database_url: str) -> AsyncIterator[list[Any]]:
    collector = Collector()
    server: Any = grpc.aio.server()
    adds: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    adds(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    command = (sys.executable, "-m", "tests.support.traced", database_url, f"http://127.0.0.1:{port}", SAMPLED)
    process = await asyncio.create_subprocess_exec(*command)
    assert await asyncio.wait_for(process.wait(), 40) == 0
    yield collector.spans
    await server.stop(None)


async def test_a_sampled_call_is_one_trace_into_the_consumer_and_an_unsampled_one_is_none(collected: list[Any]) -> None:
    assert {span.trace_id.hex() for span in collected} == {TRACE}, "only the sampled call left spans"
    by_id = {span.span_id: span for span in collected}
    [served] = [span for span in collected if span.name.endswith("GetOrder")]
    [consumed] = [span for span in collected if span.name == "consume"]
    queries = [span for span in collected if span.name == "sql"]
    below = {by_id[span.parent_span_id].name for span in queries}
    assert below == {served.name, "consume"}
    assert by_id[consumed.parent_span_id].name == served.name, "the event carried the trace through Kafka's header"
