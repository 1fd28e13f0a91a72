"""The carrier's HTTP API: reads requests and asks the depot; `steered` delivers the replies as badly as it is told to."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from scripts.simulators import control, hooks, steered
from scripts.simulators.carrier import scanner
from scripts.simulators.carrier.depot import Depot, Purchase
from scripts.simulators.steered import Body, Invalid, Response

MOST_LABELS = 1000


@dataclass(frozen=True, slots=True)
class Control(control.Control):
    """speed is how fast the carrier's clock runs; 0 stops it."""

    speed: float = 1.0


class Api:
    """The handlers over one depot."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._sender = hooks.Sender()
        self._scanner = scanner.Scanner(depot, self._sender)
        self._steered = steered.Steered(partial(Control, speed=depot.clock.speed), self._obey)

    def application(self) -> web.Application:
        """The routes."""
        app, faulty = web.Application(), self._steered.faulty
        app.router.add_post("/v1/labels", faulty(self._buy))
        app.router.add_get("/v1/labels", faulty(self._find))
        app.router.add_get("/v1/labels/{id}", faulty(self._get))
        app.router.add_post("/v1/labels/{id}/void", faulty(self._void))
        app.router.add_post("/v1/manifests", faulty(self._take))
        app.router.add_post("/v1/ways", faulty(self._ways))
        self._sender.add_to(app)
        self._scanner.add_to(app)
        app.router.add_get("/v1/log", self._log)
        app.router.add_get("/stats", self._stats)
        self._steered.route(app.router)
        return app

    def _obey(self, now: Control) -> None:
        if now.speed != self._depot.clock.speed:
            self._depot.run_at(now.speed)

    async def _buy(self, request: web.Request) -> Response:
        key, body = steered.key_of(request), await steered.body_of(request)
        to = body.get("to")
        if not isinstance(to, dict):
            raise Invalid("to is an object: the address")
        asked = {
            "reference": steered.text_of(body, "reference"),
            "from": steered.text_of(body, "from"),
            "city": steered.text_of(to, "city"),
            "country": steered.text_of(to, "country"),
        }
        if body.get("return") is True:
            # It goes to the warehouse. Its sender brings it to the counter: it is in a manifest then, as any other.
            asked["city"] = asked["from"]
        return self._depot.buy(Purchase(key, asked))

    async def _find(self, request: web.Request) -> Response:
        if reference := request.query.get("reference"):
            return self._depot.find(reference)
        raise Invalid("say which one: ?reference=")

    async def _get(self, request: web.Request) -> Response:
        return self._depot.get(request.match_info["id"])

    async def _void(self, request: web.Request) -> Response:
        return self._depot.void(request.match_info["id"])

    async def _take(self, request: web.Request) -> Response:
        return self._depot.take(_labels(await steered.body_of(request)))

    async def _ways(self, request: web.Request) -> Response:
        return self._depot.ways(_labels(await steered.body_of(request)))

    async def _log(self, request: web.Request) -> web.Response:
        return web.json_response({"lines": self._depot.about(request.query.get("reference", ""))})

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self._depot.totals())


def _labels(body: Body) -> list[str]:
    labels: Any = body.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise Invalid("labels is a list of labels' ids")
    if len(labels) > MOST_LABELS:
        raise Invalid(f"at most {MOST_LABELS} labels at once")
    return labels
