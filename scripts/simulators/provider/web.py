"""The provider's HTTP API: reads requests, asks the provider, and delivers its replies as badly as it is told to."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from scripts.simulators.provider import control, ledger
from scripts.simulators.provider.cards import Delivery
from scripts.simulators.provider.provider import CHANGES, FAILURE, Call, Provider, Response, error

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_TEXT = 255
UNAVAILABLE = error(503, "unavailable", "The provider is down.")


class Invalid(Exception):  # noqa: N818 - the caller's mistake, not the program's
    """A malformed request, with the reply it gets."""

    def __init__(self, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.reply = error(400, code, message)


class Api:
    """The handlers over one provider."""

    def __init__(self, provider: Provider, book: ledger.Ledger) -> None:
        self._provider = provider
        self._book = book
        self._control = control.Control()
        self._faults = control.FaultSchedule()

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.router.add_post("/v1/charges", self._faulty(self._authorize))
        app.router.add_get("/v1/charges", self._faulty(self._look_up))
        app.router.add_get("/v1/charges/{id}", self._faulty(self._get))
        for operation in CHANGES:
            app.router.add_post(f"/v1/charges/{{id}}/{operation}", self._faulty(self._changing(operation)))
        app.router.add_get("/v1/log", self._log)
        app.router.add_get("/stats", self._stats)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/control", self._show_control)
        app.router.add_put("/control", self._put_control)
        app.router.add_delete("/control", self._reset_control)
        return app

    def _faulty(self, ask: Callable[[web.Request], Awaitable[Response]]) -> Handler:
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
            # The log can't be written, so nothing happened: say no more than that.
            return FAILURE
        return FAILURE if fails else reply

    async def _deliver(self, request: web.Request, reply: Response) -> web.StreamResponse:
        match reply.delivery:
            case Delivery.LATE:
                await asyncio.sleep(self._control.slow_seconds)
            case Delivery.AS_ERROR:
                return _rendered(FAILURE)
            case Delivery.NEVER:
                await asyncio.sleep(self._control.hang_seconds)
                if request.transport is not None:
                    request.transport.abort()
        return _rendered(reply)

    async def _authorize(self, request: web.Request) -> Response:
        key, body = _key(request), await _body(request)
        currency = _text(body, "currency")
        if len(currency) != 3 or not currency.isupper():
            raise Invalid("currency is an ISO 4217 code, such as USD")
        asked = {
            "amount": _amount(body.get("amount")),
            "currency": currency,
            "payment_method": _text(body, "payment_method"),
            "reference": _text(body, "reference"),
        }
        return self._provider.authorize(Call("charge", key, asked))

    def _changing(self, operation: str) -> Callable[[web.Request], Awaitable[Response]]:
        async def ask(request: web.Request) -> Response:
            key, body = _key(request), await _body(request)
            amount = None if body.get("amount") is None else _amount(body["amount"])
            return self._provider.change(Call(operation, key, {"charge": request.match_info["id"], "amount": amount}))

        return ask

    async def _look_up(self, request: web.Request) -> Response:
        key = request.query.get("idempotency_key")
        if key:
            return self._provider.look_up(key)
        if reference := request.query.get("reference"):
            return self._provider.find(reference)
        raise Invalid("say which one: ?idempotency_key= or ?reference=")

    async def _get(self, request: web.Request) -> Response:
        return self._provider.get(request.match_info["id"])

    async def _log(self, request: web.Request) -> web.Response:
        return web.json_response({"lines": self._book.about(request.query.get("reference", ""))})

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self._book.totals())

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _show_control(self, _: web.Request) -> web.Response:
        return web.json_response(control.shown(self._control))

    async def _put_control(self, request: web.Request) -> web.Response:
        try:
            self._control = control.changed(self._control, json.loads(await request.read()))
        except ValueError as refused:
            return _rendered(error(400, "invalid_request", str(refused)))
        self._provider.keys_last_s = self._control.key_seconds
        return await self._show_control(request)

    async def _reset_control(self, request: web.Request) -> web.Response:
        self._control = control.Control()
        self._provider.keys_last_s = self._control.key_seconds
        return await self._show_control(request)


_BY_MODE = {
    control.DOWN: UNAVAILABLE,
    control.ERRORS: FAILURE,
    control.HANG: Response(UNAVAILABLE.status, UNAVAILABLE.body, Delivery.NEVER),
}


def _rendered(reply: Response) -> web.Response:
    body = json.dumps(reply.body, separators=(",", ":")).encode()
    return web.Response(body=body, status=reply.status, content_type="application/json")


def _key(request: web.Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= MAX_TEXT:
        raise Invalid(f"Idempotency-Key is required, 1 to {MAX_TEXT} characters", "idempotency_key_missing")
    return key


async def _body(request: web.Request) -> dict[str, Any]:
    content = await request.read()
    try:
        body = json.loads(content or b"{}")
    except ValueError as malformed:
        raise Invalid("the body is not JSON") from malformed
    if not isinstance(body, dict):
        raise Invalid("the body is not an object")
    return body


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise Invalid("amount is a positive integer, in minor units")
    return value


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise Invalid(f"{name} is a string of 1 to {MAX_TEXT} characters")
    return value
