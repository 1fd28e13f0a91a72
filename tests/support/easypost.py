"""EasyPost as its documentation has it: `easypost.json` are its examples, and a strict server answers by them.

A request that is not recorded in its path, its headers or the shape of its body is refused, and remembered as a mistake: no
test passes with one. Of what the real one does, the server keeps what matters to who buys labels: ids are its own, references
need not be unique, and a shipment has one label. No account at EasyPost was called.
"""

import asyncio
import copy
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer

Json = dict[str, Any]
KEY = "EZTK-of-tests"
SENDERS = json.dumps({"*": {"name": "Souk", "street1": "417 Montgomery St", "city": "San Francisco", "country": "US"}})
RECORDED: Json = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


@dataclass
class EasyPost:
    """The server's state, and what a test tells it. refusals: by exchange, the recorded answer that is given instead, once."""

    url: str = ""
    shipments: dict[str, Json] = field(default_factory=dict)
    returns: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    # Exchanges that are done and never answered, once each.
    silent: set[str] = field(default_factory=set)

    def created(self, body: Json) -> Json:
        shipment: Json = copy.deepcopy(RECORDED["create"]["response"]["body"])
        # Unique over all servers, as EasyPost's are: the tests share a database.
        shipment |= {"id": f"shp_{uuid.uuid4().hex}", "reference": body["shipment"].get("reference")}
        self.shipments[shipment["id"]] = shipment
        if body["shipment"].get("is_return"):
            self.returns.add(shipment["id"])
        return shipment

    def bought(self, shipment: Json, body: Json) -> Json | None:
        """The shipment with its label; None when it has one."""
        if shipment["postage_label"]:
            return None
        recorded = copy.deepcopy(RECORDED["buy"]["response"]["body"])
        rate = next(rate for rate in shipment["rates"] if rate["id"] == body["rate"]["id"])
        shipment |= {name: recorded[name] for name in ("tracking_code", "postage_label", "tracker")}
        shipment |= {"selected_rate": rate}
        return shipment

    def travels(self, shipment_id: str) -> None:
        """The carrier has the parcel, brought it, and scanned it all the way."""
        self.shipments[shipment_id]["tracker"]["tracking_details"] = copy.deepcopy(RECORDED["way"]["details"])

    def labels(self, reference: str) -> list[str]:
        """The shipments with this reference that have a label."""
        found = self.shipments.values()
        return [one["id"] for one in found if one["reference"] == reference and one["postage_label"]]


@asynccontextmanager
async def serving() -> AsyncIterator[EasyPost]:
    """The server, as long as the block lasts. Ends with an assertion when a request was not as recorded."""
    state = EasyPost()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _handler(state))
    server = TestServer(app)
    await server.start_server()
    state.url = str(server.make_url("")).rstrip("/")
    try:
        yield state
    finally:
        await server.close()
    assert state.mistakes == []


def _handler(state: EasyPost) -> Any:
    async def handle(request: web.Request) -> web.Response:
        name, shipment_id = _exchange(request)
        content = await request.read()
        mistakes = [f"no such exchange: {request.method} {request.path}"]
        if name:
            mistakes = list(_mistakes(request, content, RECORDED[name]["request"]))
        state.mistakes += mistakes
        if mistakes:
            return _answer("invalid")
        return await _does(state, name, shipment_id, json.loads(content or b"{}"))

    return handle


async def _does(state: EasyPost, name: str, shipment_id: str, body: Json) -> web.Response:
    state.log.append(name)
    if refusal := state.refusals.pop(name, ""):
        return _answer(refusal)
    shipment = state.shipments.get(shipment_id) if shipment_id else state.created(body)
    if shipment is None:
        return _answer("not_found")
    if name == "buy" and state.bought(shipment, body) is None:
        return _answer("exists")
    if name == "refund":
        shipment["refund_status"] = RECORDED["refund"]["response"]["body"]["refund_status"]
    if name in state.silent:
        state.silent.remove(name)
        await asyncio.sleep(30)
    return web.json_response(shipment, status=RECORDED[name]["response"]["status"])


def _exchange(request: web.Request) -> tuple[str, str]:
    """Which exchange a request begins, and about which shipment: by its method and path."""
    parts = request.path.split("/")
    for name, recorded in RECORDED.items():
        wanted = recorded.get("request") if isinstance(recorded, dict) else None
        if not wanted or wanted["method"] != request.method:
            continue
        expected = wanted["path"].split("/")
        if len(expected) == len(parts) and all(one in ("{id}", two) for one, two in zip(expected, parts, strict=True)):
            return name, parts[3] if len(parts) > 3 else ""
    return "", ""


def _mistakes(request: web.Request, content: bytes, recorded: Json) -> Iterator[str]:
    if request.headers.get("Authorization") != encode_basic_auth(KEY, ""):
        yield "the key is not the name of a Basic login without password"
    if "body" not in recorded:
        if content:
            yield f"{request.path} takes no body"
        return
    if request.content_type != "application/json":
        yield f"{request.path}: content type {request.content_type}"
    sent = json.loads(content)
    yield from unlike(sent, recorded["body"])
    for path in recorded.get("required", ()):
        if not _at(sent, path):
            yield f"{path} is missing"


def unlike(sent: Any, recorded: Any, path: str = "body") -> Iterator[str]:
    """Where a value has other fields or other kinds of values than the recorded one; fields that it lacks are none."""
    if isinstance(sent, dict) and isinstance(recorded, dict):
        for name, value in sent.items():
            if name not in recorded:
                yield f"{path}.{name} is not recorded"
            else:
                yield from unlike(value, recorded[name], f"{path}.{name}")
    elif _kind(sent) != _kind(recorded):
        yield f"{path} is {_kind(sent)}, and {_kind(recorded)} was recorded"


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _answer(name: str) -> web.Response:
    recorded = RECORDED[name]["response"]
    return web.json_response(recorded["body"], status=recorded["status"])
