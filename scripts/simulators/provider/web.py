"""The provider's HTTP API: reads requests and asks the provider; `steered` delivers the replies as badly as it is told to."""

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from scripts.simulators import control, hooks, steered
from scripts.simulators.provider import ledger
from scripts.simulators.provider.provider import CHANGES, Call, Provider
from scripts.simulators.steered import Invalid, Response

BANK = """<!doctype html><title>Your bank</title><h1>Your bank asks</h1><p>Pay {asked}?</p>
<form method="post"><button name="answer" value="confirm">Confirm</button>
<button name="answer" value="refuse">Refuse</button></form>
"""


@dataclass(frozen=True, slots=True)
class Control(control.Control):
    """key_seconds is how long an idempotency key is remembered."""

    key_seconds: float = 86_400.0


class Api:
    """The handlers over one provider."""

    def __init__(self, provider: Provider, book: ledger.Ledger, sender: hooks.Sender) -> None:
        self._provider = provider
        self._book = book
        self._sender = sender
        self._steered = steered.Steered(Control, self._obey)

    def application(self) -> web.Application:
        """The routes."""
        app, faulty = web.Application(), self._steered.faulty
        app.router.add_post("/v1/charges", faulty(self._authorize))
        app.router.add_get("/v1/charges", faulty(self._look_up))
        app.router.add_get("/v1/charges/{id}", faulty(self._get))
        for operation in CHANGES:
            app.router.add_post(f"/v1/charges/{{id}}/{operation}", faulty(self._changing(operation)))
        app.router.add_get("/bank/{id}/{secret}", self._show_bank)
        app.router.add_post("/bank/{id}/{secret}", self._bank)
        app.router.add_post("/v1/refunds/failures", self._fail_refund)
        app.router.add_post("/v1/disputes", self._dispute)
        self._sender.add_to(app)
        app.router.add_get("/v1/log", self._log)
        app.router.add_get("/stats", self._stats)
        self._steered.route(app.router)
        return app

    def _obey(self, now: Control) -> None:
        self._provider.keys_last_s = now.key_seconds

    async def _authorize(self, request: web.Request) -> Response:
        self._provider.url = str(request.url.origin())
        key, body = steered.key_of(request), await steered.body_of(request)
        currency = steered.text_of(body, "currency")
        if len(currency) != 3 or not currency.isupper():
            raise Invalid("currency is an ISO 4217 code, such as USD")
        asked = {
            "amount": _amount(body.get("amount")),
            "currency": currency,
            "payment_method": steered.text_of(body, "payment_method"),
            "reference": steered.text_of(body, "reference"),
        }
        return self._provider.authorize(Call("charge", key, asked))

    def _changing(self, operation: str) -> Callable[[web.Request], Awaitable[Response]]:
        async def ask(request: web.Request) -> Response:
            key, body = steered.key_of(request), await steered.body_of(request)
            amount = None if body.get("amount") is None else _amount(body["amount"])
            return self._provider.change(Call(operation, key, {"charge": request.match_info["id"], "amount": amount}))

        return ask

    async def _look_up(self, request: web.Request) -> Response:
        key = request.query.get("idempotency_key")
        if key:
            return self._provider.look_up(key)
        if reference := request.query.get("reference"):
            return self._provider.find(reference)
        if (after := request.query.get("after", "")).isdigit():
            return self._provider.page(int(after))
        raise Invalid("say which one: ?idempotency_key= or ?reference=, or which page: ?after=")

    async def _get(self, request: web.Request) -> Response:
        return self._provider.get(request.match_info["id"])

    async def _show_bank(self, request: web.Request) -> web.Response:
        """The page of the customer's bank."""
        charge = self._provider.asked(request.match_info["id"], request.match_info["secret"])
        if charge is None:
            return web.Response(status=404, text="There is nothing to confirm.")
        asked = f"{charge.amount} {charge.currency} (minor units) for order {html.escape(charge.reference)}"
        return web.Response(text=BANK.format(asked=asked), content_type="text/html")

    async def _bank(self, request: web.Request) -> web.Response:
        """What the customer answers on it: `answer` is `confirm` or `refuse`."""
        answer = (await request.post()).get("answer")
        if answer not in ("confirm", "refuse"):
            return steered.rendered(steered.error(400, "invalid_request", "answer is confirm or refuse"))
        charge, secret = request.match_info["id"], request.match_info["secret"]
        return steered.rendered(self._provider.answer(charge, secret, confirmed=answer == "confirm"))

    async def _fail_refund(self, request: web.Request) -> web.Response:
        body = await steered.body_of(request)
        return steered.rendered(
            self._provider.fail_refund(steered.text_of(body, "key"), steered.text_of(body, "reason"))
        )

    async def _dispute(self, request: web.Request) -> web.Response:
        body = await steered.body_of(request)
        charge, status = steered.text_of(body, "charge"), steered.text_of(body, "status")
        return steered.rendered(self._provider.dispute(charge, status, str(body.get("id", ""))))

    async def _log(self, request: web.Request) -> web.Response:
        return web.json_response({"lines": self._book.about(request.query.get("reference", ""))})

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self._book.totals())


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise Invalid("amount is a positive integer, in minor units")
    return value
