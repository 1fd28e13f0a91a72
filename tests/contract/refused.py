"""Requests that are refused, as rows of a table: what is sent, and what it gets. The tables stand in the tests."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.world import World, refusal, wrong_fields
from tests.support import audit, shop

MAX_REQUEST_BYTES = 1_048_576
CARD_NUMBER = "4242424242424242"
SEND = "POST /api/v1/notifications/send"
WISHES = "GET /api/v1/notifications/preferences"
WISH = "PUT /api/v1/notifications/preferences"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:offers"
UNKNOWN = "0190a000-0000-7000-8000-000000000000"
ORDERS = "POST /api/v1/orders"
PRODUCTS = "POST /api/v1/products"
STOCK = "PUT /api/v1/products/{product}/stock"
MALFORMED = (400, "REQUEST_MALFORMED")
INVALID = (400, "REQUEST_INVALID")
UNKNOWN_WORD = {"params": {"no_such_word": "1"}}


@dataclass(frozen=True, slots=True)
class Refused:
    """A request, and what it gets. `send` is what httpx sends: json, content, params, headers."""

    name: str
    who: str
    call: str
    send: Callable[[World], dict[str, Any]]
    status: int
    reason: str
    fields: frozenset[str] = frozenset()


def row(name: str, call: str, send: Any, *expected: Any, who: str = "customer") -> Any:
    """A row of a table: what is sent may depend on the world."""
    made = send if callable(send) else lambda _: send
    status, reason, *fields = expected
    return pytest.param(Refused(name, who, call, made, status, reason, frozenset(fields)), id=name.replace(" ", "-"))


def of_order(**changes: Any) -> Callable[[World], dict[str, Any]]:
    """A good order with some fields changed."""
    return lambda world: {"json": shop.basket((world.products["vendors"], 1)) | changes}


def of_items(*items: Any) -> Callable[[World], dict[str, Any]]:
    """A good order of these items instead: (what product, how many), or the item itself."""

    def made(world: World) -> dict[str, Any]:
        lines = [
            {"sku": world.products[item[0]].sku, "quantity": item[1]} if isinstance(item, tuple) else item
            for item in items
        ]
        return {"json": shop.basket() | {"items": lines}}

    return made


def of_product(variant: Any = None, **changes: Any) -> Callable[[World], dict[str, Any]]:
    """A good product with some fields changed, its variant's too."""

    def made(world: World) -> dict[str, Any]:
        body = shop.product_body(shop.new_sku(), category=world.category) | changes
        if variant:
            body["variants"] = [body["variants"][0] | variant]
        return {"json": body}

    return made


def price(units: int, nanos: int = 0, currency: str = "USD") -> shop.Json:
    return {"price": {"currency_code": currency, "units": units, "nanos": nanos}}


def token(after: Any) -> str:
    """A page token that somebody made by hand."""
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode()


def of_message(**changes: Any) -> Callable[[World], dict[str, Any]]:
    """A good message to somebody who has an account, with some fields changed."""

    def made(world: World) -> dict[str, Any]:
        message = {"user_id": world.people["registered"].user_id, "subject": "Hello", "text": "We move."}
        return {"json": message | changes}

    return made


def of_quiet(start: str, end: str, time_zone: str) -> dict[str, Any]:
    """A wish to be left alone."""
    return {"json": {"quiet_hours": {"start": start, "end": end, "time_zone": time_zone}}}


def of_choices(*choices: Any) -> dict[str, Any]:
    """A wish for these channels."""
    return {"json": {"choices": list(choices)}}


async def check(world: World, auditor: audit.Auditor, refused: Refused) -> None:
    """Send it: it is refused as it must be, with all wrong fields at once, and changes nothing."""
    before = await world.seen(auditor)
    verb, path = refused.call.split()

    answer = await world.send(refused.who, verb, path, **refused.send(world))

    assert refusal(answer) == (refused.status, refused.reason), answer.text
    assert wrong_fields(answer) == refused.fields
    assert await world.seen(auditor) == before
