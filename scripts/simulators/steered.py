"""An HTTP API that answers as badly as it is told to: late, never, with errors, or not at all.

A simulator's own handlers make replies; `Steered` delivers them, and has the routes by which a test steers it. `serve` runs one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import uvloop
from aiohttp import web

from scripts.simulators import control, listening

Body = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_TEXT = 255
# Hung calls are cut off: whoever waits for them is being tested, and the process has nothing left to do for them.
SHUTDOWN_SECONDS = 0.5


class Delivery(Enum):
    """How the first answer to a call reaches the caller; a repeated call gets the remembered one at once."""

    AT_ONCE = auto()
    LATE = auto()
    NEVER = auto()
    AS_ERROR = auto()


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP status, a JSON body, and whether and when it leaves."""

    status: int
    body: Body
    delivery: Delivery = Delivery.AT_ONCE


def error(status: int, code: str, message: str) -> Response:
    """The reply that every error takes the shape of."""
    return Response(status, {"error": {"code": code, "message": message}})


FAILURE = error(500, "internal_error", "Something went wrong.")
UNAVAILABLE = error(503, "unavailable", "The simulator is down.")
_BY_MODE = {
    control.DOWN: UNAVAILABLE,
    control.ERRORS: FAILURE,
    control.HANG: Response(UNAVAILABLE.status, UNAVAILABLE.body, Delivery.NEVER),
}


class Invalid(Exception):  # noqa: N818 - the caller's mistake, not the program's
    """A malformed request, with the reply it gets."""

    def __init__(self, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.reply = error(400, code, message)


class Steered:
    """Delivers replies by a control, which `changed` is told of, and which `usual` makes for the start and for a reset."""

    def __init__(self, usual: Callable[[], control.Control], changed: Callable[[Any], None]) -> None:
        self._usual = usual
        self._changed = changed
        self._control = usual()
        self._faults = control.FaultSchedule()

    def route(self, router: web.UrlDispatcher) -> None:
        """Add the routes of the control and of health, which answer in every mode."""
        router.add_get("/healthz", self._healthz)
        router.add_get("/control", self._show_control)
        router.add_put("/control", self._put_control)
        router.add_delete("/control", self._reset_control)

    def faulty(self, ask: Callable[[web.Request], Awaitable[Response]]) -> Handler:
        """A handler that asks and delivers the reply as the control says."""

        async def handle(request: web.Request) -> web.StreamResponse:
            reply = await self._answered(request, ask)
            if self._control.latency_ms:
                await asyncio.sleep(self._control.latency_ms / 1000)
            return await self._deliver(request, reply)

        return handle

    async def _answered(self, request: web.Request, ask: Callable[[web.Request], Awaitable[Response]]) -> Response:
        if self._control.mode != control.NORMAL:
            return _BY_MODE[self._control.mode]
        fails = self._faults.strikes(self._control.error_rate)
        if fails and not self._faults.after_effect:
            return FAILURE
        try:
            reply = await ask(request)
        except Invalid as invalid:
            return invalid.reply
        except OSError:
            # The journal can't be written, so nothing happened: say no more than that.
            return FAILURE
        return FAILURE if fails else reply

    async def _deliver(self, request: web.Request, reply: Response) -> web.StreamResponse:
        match reply.delivery:
            case Delivery.LATE:
                await asyncio.sleep(self._control.slow_seconds)
            case Delivery.AS_ERROR:
                return rendered(FAILURE)
            case Delivery.NEVER:
                await asyncio.sleep(self._control.hang_seconds)
                if request.transport is not None:
                    request.transport.abort()
        return rendered(reply)

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _show_control(self, _: web.Request) -> web.Response:
        return web.json_response(control.shown(self._control))

    async def _put_control(self, request: web.Request) -> web.Response:
        try:
            self._control = control.changed(self._control, json.loads(await request.read()))
        except ValueError as refused:
            return rendered(error(400, "invalid_request", str(refused)))
        self._changed(self._control)
        return await self._show_control(request)

    async def _reset_control(self, request: web.Request) -> web.Response:
        self._control = self._usual()
        self._changed(self._control)
        return await self._show_control(request)


def rendered(reply: Response) -> web.Response:
    """The reply as JSON."""
    body = json.dumps(reply.body, separators=(",", ":")).encode()
    return web.Response(body=body, status=reply.status, content_type="application/json")


def key_of(request: web.Request) -> str:
    """The request's idempotency key. Raises Invalid without one."""
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= MAX_TEXT:
        raise Invalid(f"Idempotency-Key is required, 1 to {MAX_TEXT} characters", "idempotency_key_missing")
    return key


async def body_of(request: web.Request) -> Body:
    """The JSON object that was sent; an empty body is an empty one. Raises Invalid."""
    content = await request.read()
    try:
        body = json.loads(content or b"{}")
    except ValueError as malformed:
        raise Invalid("the body is not JSON") from malformed
    if not isinstance(body, dict):
        raise Invalid("the body is not an object")
    return body


def text_of(body: Body, name: str) -> str:
    """A field that is a text and not empty. Raises Invalid."""
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise Invalid(f"{name} is a string of 1 to {MAX_TEXT} characters")
    return value


def serve(name: str, app: web.Application, address: listening.Address) -> None:
    """Serve until SIGTERM or SIGINT, and say where. Raises OSError when it can't listen there."""
    uvloop.run(_serve(name, app, address))


async def _serve(name: str, app: web.Application, address: listening.Address) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, address.host, address.port).start()
    host, port = runner.addresses[0][:2]
    print(f"{name} on http://{host}:{port}", flush=True)
    await listening.until_told_to_stop()
    await runner.cleanup()
