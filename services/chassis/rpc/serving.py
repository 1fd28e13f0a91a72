"""Serving one call: what happens around a servicer's method, in order.

Request id and trace into the log context; the caller let in by the contract's access rule; the deadline; the request
measured, parsed, and validated by the contract's field rules, sizes before elements; then the method. What it raises
becomes a status, how it went a metric.
Methods are wrapped once, when they are registered: a chain of interceptors would cost every call anew.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from services.chassis import errors, logs, metrics, tracing
from services.chassis.rpc import deadline, identity, policy, requests, status, streams

_LOG = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
MOST_REQUEST_ID = 64
IDEMPOTENCY_KEY = "idempotency-key"
# The alarm of a method that answers a reason which its contract does not name.
UNNAMED = "reason_unnamed"
# No caller may hold a unary call longer than this, whatever deadline it sends, in seconds.
MOST_TIMEOUT_S = 30.0
# An upload that breaks off ends its stream as a whole one does; that the call is cancelled is told beside it, and perhaps a
# moment later. So long an upload that seems whole waits for that, in seconds.
BROKEN_OFF_S = 0.1
# What an answer needs to get back to its caller.
ANSWER_S = 0.03

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]


class Serving:
    """Serves the methods of one service. `named` are the reasons that the contract names, by the path of a method."""

    def __init__(self, service: str, gate: identity.Gate, named: Mapping[str, Collection[str]]) -> None:
        self._service = service
        self._named = named
        self._gate = gate
        self._in_flight = metrics.RPC_IN_FLIGHT.labels(service)
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._streams = streams.Streams(service)

    async def start(self) -> None:
        """Begin to check the callers of open streams."""
        await self._streams.start()

    async def stop(self) -> None:
        """Check them no more."""
        await self._streams.stop()

    def end_streams(self) -> None:
        """End all streams, those that begin later too: unlike other calls they are resumed elsewhere."""
        self._streams.drain()

    async def drained(self) -> None:
        """Wait until no call is being served. grpc.aio's own stop does not wait for handlers that abort."""
        await self._idle.wait()

    def unary(self, method: policy.Method, handler: Any) -> Callable[..., Any]:
        """A unary method with everything around it. It is given the request as bytes."""

        async def serve(sent: bytes, context: Context) -> Any:
            async with self._around(method, context):
                deadline.begin(_seconds_left(method, context))
                request = await self._prepare(method, handler, sent, context)
                async with asyncio.timeout(deadline.left()):
                    return await handler.unary_unary(request, context)

        return serve

    def stream(self, method: policy.Method, handler: Any) -> Callable[..., Any]:
        """A method that answers with a stream, with everything around it. It is given the request as bytes."""

        async def serve(sent: bytes, context: Context) -> AsyncIterator[Any]:
            async with self._around(method, context):
                request = await self._prepare(method, handler, sent, context)
                metadata = dict(context.invocation_metadata() or ())
                admit = partial(self._gate.readmit, identity.caller(), method, metadata, context.auth_context)
                async with (
                    contextlib.aclosing(handler.unary_stream(request, context)) as answers,
                    contextlib.aclosing(self._streams.until_ended(answers, request, admit)) as messages,
                ):
                    async for message in messages:
                        yield message

        return serve

    def upload(self, method: policy.Method, handler: Any) -> Callable[..., Any]:
        """A method that takes a stream and answers with one, with everything around it. It is given requests as bytes.

        It has a deadline as a unary method has, and a drain waits for it as for one: what it was sent cannot be resumed.
        """

        async def serve(sent: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
            async with self._around(method, context):
                deadline.begin(_seconds_left(method, context))
                async with asyncio.timeout(deadline.left()):
                    first = await anext(aiter(sent), b"")
                    begun = await self._prepare(method, handler, first, context)
                    received = _following(begun, len(first), sent, partial(_piece, method, handler))
                    async with (
                        contextlib.aclosing(received) as messages,
                        contextlib.aclosing(handler.stream_stream(messages, context)) as answers,
                    ):
                        async for message in answers:
                            yield message

        return serve

    @contextlib.asynccontextmanager
    async def _around(self, method: policy.Method, context: Context) -> AsyncIterator[None]:
        """Counts a call and measures it; what it raises becomes a status."""
        started = self._enter()
        code = grpc.StatusCode.OK
        try:
            yield
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        except Exception as error:
            refused = self._status(method, error)
            self._check(method, error)
            code = status.CODES[refused.code]
            await status.abort(context, refused)
        finally:
            self._leave(method, started, code)

    async def _prepare(self, method: policy.Method, handler: Any, sent: bytes, context: Context) -> Message:
        metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
        ids = {"service": self._service, "request_id": _request_id(metadata)}
        if trace_id := tracing.enter(str(metadata.get(tracing.HEADER, ""))):
            ids["trace_id"] = trace_id
        logs.context.set(ids)
        who = await self._gate.admit(method, metadata, context.auth_context)
        identity.set_caller(who)
        key = str(metadata.get(IDEMPOTENCY_KEY, ""))
        return requests.read(sent, handler.request_deserializer, most_bytes=method.most_bytes, key=key)

    def _status(self, method: policy.Method, error: Exception) -> Status:
        if isinstance(error, errors.DomainError):
            return status.render(error, self._service)
        if isinstance(error, errors.TransientError):
            _LOG.warning("dependency away", extra={"method": method.path, "cause": str(error)})
            return status.render(errors.unavailable(), self._service)
        if isinstance(error, TimeoutError):
            late = errors.DomainError(errors.Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline expired")
            return status.render(late, self._service)
        _LOG.exception("call failed", extra={"method": method.path}, exc_info=error)
        shown = {name: text for name, text in logs.context.get().items() if name in {"request_id", "trace_id"}}
        defect = errors.DomainError(errors.Code.INTERNAL, "INTERNAL", "internal error", shown)
        return status.render(defect, self._service)

    def _check(self, method: policy.Method, error: Exception) -> None:
        """Alarm when a method answers what its contract does not name: its callers cannot know what to do."""
        if isinstance(error, errors.DomainError) and error.reason not in self._named[method.path]:
            metrics.ALARMS.labels(self._service, UNNAMED).inc()
            _LOG.error("reason not in the contract", extra={"method": method.path, "reason": error.reason})

    def _enter(self) -> float:
        self._calls += 1
        self._idle.clear()
        self._in_flight.set(self._calls)
        return time.perf_counter()

    def _leave(self, method: policy.Method, started: float, code: grpc.StatusCode) -> None:
        self._calls -= 1
        self._in_flight.set(self._calls)
        if not self._calls:
            self._idle.set()
        seconds = metrics.RPC_SECONDS.labels(self._service, method.path, code.name)
        seconds.observe(time.perf_counter() - started)


def _piece(method: policy.Method, handler: Any, sent: bytes, before: int) -> Message:
    """A later message of a stream of which so many bytes came before. Raises REQUEST_TOO_LARGE when that is too much."""
    if before + len(sent) > method.stream_bytes:
        raise requests.too_large(before + len(sent), method.stream_bytes)
    return requests.read(sent, handler.request_deserializer, most_bytes=method.most_bytes, key="")


async def _following(
    first: Message, size: int, sent: AsyncIterator[bytes], read: Callable[[bytes, int], Message]
) -> AsyncGenerator[Message]:
    """The first message of a stream, which has this size, and then the others; cancelled when the stream broke off."""
    yield first
    async for following in sent:
        yield read(following, size)
        size += len(following)
    await asyncio.sleep(BROKEN_OFF_S)


def _request_id(metadata: Mapping[str, Any]) -> str:
    """The caller's id of the request, or a new one. It stands in every line of the log: not a page, nor unreadable."""
    sent = str(metadata.get(REQUEST_ID, ""))[:MOST_REQUEST_ID]
    return sent if sent and sent.isascii() and sent.isprintable() else os.urandom(8).hex()


def _seconds_left(method: policy.Method, context: Context) -> float:
    """How long the method may take. A little less than the caller waits, so that our answer, with its reason, gets there."""
    asked = context.time_remaining()
    own = method.timeout_s or MOST_TIMEOUT_S
    return min(MOST_TIMEOUT_S, own if asked is None else max(asked - ANSWER_S, asked / 2))
