"""The orders the bench sends, as bytes made beforehand: all but the idempotency key, which is new for each."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Enough different baskets that no two neighbours in a batch are alike.
TEMPLATES = 1000
MOST_OF_A_LINE = 3
ADDRESS = {
    "recipient": "Bench Customer",
    "line1": "1 Market Street",
    "city": "Springfield",
    "region": "OR",
    "postal_code": "97477",
    "country": "US",
}
PAYMENT_METHOD = "card_approved"
# A firewall before the edge refuses requests that do not say what sends them.
AGENT = "souk-bench"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose orders they are (access tokens), what they are of, how many lines each has, and how they are paid.

    `key` begins every idempotency key: no other run may use it. Without `units`, a line is of 1 to 3 units. `coupon` is a
    code that every order has. `baskets` are what is ordered, one after the other, where they are given; without them each
    order is of `lines` SKUs by chance.
    """

    tokens: tuple[str, ...]
    skus: tuple[str, ...]
    lines: int
    key: str
    units: int = 0
    payment_method: str = PAYMENT_METHOD
    coupon: str = ""
    baskets: tuple[tuple[str, ...], ...] = ()


def stream(host: str, wanted: Wanted) -> Iterator[bytes]:
    """Requests without end: the same baskets in the same order in every run, in turn from every customer."""
    templates = list(_templates(host, wanted))
    number = 0
    while True:
        for before, after in templates:
            number += 1
            yield b"%s%s-%d%s" % (before, wanted.key.encode(), number, after)


def _templates(host: str, wanted: Wanted) -> Iterator[tuple[bytes, bytes]]:
    chance = random.Random(42)  # noqa: S311 - the same baskets in every run, no secret
    for number in range(len(wanted.baskets) or TEMPLATES):
        token = wanted.tokens[number % len(wanted.tokens)]
        body = _body(wanted, _basket(wanted, number, chance))
        before = (
            f"POST /api/v1/orders HTTP/1.1\r\nhost: {host}\r\nuser-agent: {AGENT}\r\nauthorization: Bearer {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nidempotency-key: "
        )
        yield before.encode(), b"\r\n\r\n" + body


def _basket(wanted: Wanted, number: int, chance: random.Random) -> Sequence[tuple[str, int]]:
    skus = wanted.baskets[number] if wanted.baskets else chance.sample(wanted.skus, wanted.lines)
    return [(sku, wanted.units or chance.randint(1, MOST_OF_A_LINE)) for sku in skus]


def _body(wanted: Wanted, basket: Sequence[tuple[str, int]]) -> bytes:
    order: dict[str, Any] = {
        "items": [{"sku": sku, "quantity": quantity} for sku, quantity in basket],
        "shipping_address": ADDRESS,
        "payment_method": wanted.payment_method,
    }
    if wanted.coupon:
        order["coupon_codes"] = [wanted.coupon]
    return json.dumps(order, separators=(",", ":")).encode()
