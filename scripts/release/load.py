"""A load test with thresholds, against an edge that is deployed somewhere: orders at a fixed rate, and what must hold.

It knows nothing but the edge's address: it registers customers, orders what the shop has in stock, and follows a sample of
the orders to their end. The generator is the bench's, in this process: at these rates it costs nearly nothing.
"""

import asyncio
import json
import urllib.parse
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.bench import figures, load, requests, shop
from scripts.operate.edge import Edge, EdgeError
from scripts.operate.first_order import CONFIRMED, REACHED
from scripts.release import environments, shell
from scripts.stack.supervise import problems

CONNECTIONS = 64
LINES = 2
SKUS = 20
SAMPLE = 40
PAGE = 100
POLL_S = 0.5
# The kinds of messages that an order makes.
QUIET = ("ORDER", "PAYMENT")
REPORT = shell.FOLDER / "load.json"


@dataclass(frozen=True, slots=True)
class Purchase:
    """What orders are paid with, and the category whose products they are of: empty for any, the newest first."""

    payment_method: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it: shares are of all orders sent; `unsettled` are sampled orders that came to no end in time."""

    sent: int
    failed: float
    accept_ms: figures.Percentiles
    sampled: int
    confirmed: int
    unsettled: int
    samples: tuple[str, ...]


def test(edge_url: str, wanted: environments.Load, root: Path, purchase: Purchase) -> list[str]:
    """Send the load, keep the figures in a file and print them. Answers with what did not hold. Raises a StackError."""
    try:
        seen = asyncio.run(_driven(edge_url, wanted, purchase))
    except EdgeError as refused:
        raise problems.StackError(f"the load test cannot begin: {refused}") from None
    (root / REPORT).parent.mkdir(parents=True, exist_ok=True)
    (root / REPORT).write_text(json.dumps({"wanted": asdict(wanted), "seen": asdict(seen)}, indent=2) + "\n")
    print(
        f"{seen.sent} orders at {wanted.rate:g}/s: {seen.failed:.2%} failed, accepted in {seen.accept_ms.p50:.0f} ms "
        f"(p50), {seen.accept_ms.p95:.0f} ms (p95); of {seen.sampled} followed {seen.confirmed} were confirmed"
    )
    return missed(seen, wanted)


def missed(seen: Seen, wanted: environments.Load) -> list[str]:
    """The thresholds that did not hold, a line each."""
    found = []
    if seen.failed > wanted.failed or not seen.accept_ms.count:
        why = f" ({'; '.join(seen.samples[:1])})" if seen.samples else ""
        found.append(f"{seen.failed:.2%} of the orders failed, more than {wanted.failed:.2%}{why}")
    if seen.accept_ms.p95 > wanted.accept_p95_ms:
        found.append(f"p95 of acceptance is {seen.accept_ms.p95:.0f} ms, more than {wanted.accept_p95_ms:.0f}")
    if seen.unsettled:
        found.append(f"{seen.unsettled} of {seen.sampled} orders came to no end within {wanted.settle_s:g} s")
    if seen.sampled and not seen.confirmed:
        found.append("none of the orders that were followed was confirmed")
    return found


async def _driven(edge_url: str, wanted: environments.Load, purchase: Purchase) -> Seen:
    skus = await in_stock(edge_url, purchase.category)
    tokens = await customers(edge_url)
    key = f"load-{uuid.uuid4()}"
    orders = requests.Wanted(tokens, skus, LINES, key, units=1, payment_method=purchase.payment_method)
    outcome = await load.Generator(_plan(edge_url, wanted, orders)).run()
    ends = await _followed(edge_url, tokens, outcome.accepted[:: max(1, len(outcome.accepted) // SAMPLE)], wanted)
    return Seen(
        sent=outcome.sent,
        failed=1 - len(outcome.accepted) / outcome.sent if outcome.sent else 1.0,
        accept_ms=figures.Percentiles.of(outcome.latencies_ms),
        sampled=len(ends),
        confirmed=sum(end not in ("", "CANCELLED") for end in ends),
        unsettled=ends.count(""),
        samples=tuple(outcome.samples),
    )


async def customers(edge_url: str) -> tuple[str, ...]:
    """Access tokens of new customers who are told nothing of their orders: their addresses are nobody's. Raises EdgeError."""
    tokens = await shop.sign_in(edge_url, await shop.register(edge_url))
    silence = {"choices": [{"kind": kind, "channels": []} for kind in QUIET]}
    for token in tokens:
        async with Edge.connect(edge_url) as edge:
            edge.token = token
            await edge.put("/api/v1/notifications/preferences", silence)
    return tokens


async def in_stock(edge_url: str, category: str = "") -> tuple[str, ...]:
    """SKUs that the shop offers (in a category, unless it is empty), all in one currency.

    Raises a StackError when there are fewer than an order has lines.
    """
    async with Edge.connect(edge_url) as edge:
        products = (await edge.get("/api/v1/products", page_size=PAGE, category=category))["products"]
    by_currency: dict[str, list[str]] = defaultdict(list)
    for variant in (variant for product in products for variant in product["variants"]):
        by_currency[variant["price"]["currency_code"]].append(variant["sku"])
    skus = max(by_currency.values(), key=len, default=[])
    if len(skus) < LINES:
        raise problems.StackError("the shop offers nothing to order: load the sample data")
    return tuple(skus[:SKUS])


def _plan(edge_url: str, wanted: environments.Load, orders: requests.Wanted) -> load.Plan:
    parts = urllib.parse.urlsplit(edge_url)
    secure = parts.scheme == "https"
    return load.Plan(
        host=parts.hostname or "",
        port=parts.port or (443 if secure else 80),
        wanted=orders,
        connections=CONNECTIONS,
        seconds=wanted.seconds,
        most=round(wanted.rate * wanted.seconds),
        rate=wanted.rate,
        secure=secure,
    )


async def _followed(
    edge_url: str, tokens: Sequence[str], orders: Sequence[str], wanted: environments.Load
) -> list[str]:
    """How each of these orders ended; empty for one that did not in time. Only its customer may see an order."""
    ends = dict.fromkeys(orders, "")
    deadline = asyncio.get_running_loop().time() + wanted.settle_s
    while not all(ends.values()) and asyncio.get_running_loop().time() < deadline:
        for token in tokens:
            async with Edge.connect(edge_url) as edge:
                edge.token = token
                listed = await edge.pages("/api/v1/orders", "orders", PAGE)
            ends |= {
                order["id"]: order["status"]
                for order in listed
                if order["id"] in ends and order["status"] in (CONFIRMED, *REACHED[CONFIRMED])
            }
        await asyncio.sleep(POLL_S)
    return list(ends.values())
