"""The first user: registers, places an order over REST, watches it travel, and waits for the mail that confirms it.

    python -m scripts.operate.first_order
    python -m scripts.operate.first_order --cart coffee --coupon WELCOME10
    python -m scripts.operate.first_order --payment-method card_declined --expect CANCELLED
    python -m scripts.operate.first_order --expect DELIVERED
    python -m scripts.operate.first_order --expect DELIVERED --send-back
    python -m scripts.operate.first_order --sku LAST-ONE:1 --sku COFFEE-250G:2

With `--cart` they search for these words first, fill a cart as a guest, sign in, take it along and check it out. With
`--send-back` a delivered line comes back, and exactly its money: `ADMIN_EMAIL` and `ADMIN_PASSWORD` name who takes it.

Knows nothing but `EDGE_URL` (from the environment, else from `.souk/env`). Exit code 0 only when the order came as far as
expected and the message about it was sent within ten seconds; otherwise 1, with one line on standard error. CONFIRMED, which is
expected unless `--expect` says otherwise, is paid and with shipments. `scripts.stack.first_order` looks for the mail in the local
stack's mail server as well.
"""

import argparse
import asyncio
import secrets
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scripts.operate import environment, first_cart, first_return
from scripts.operate.edge import Edge, EdgeError, Json, RefusedError, new_key
from scripts.operate.first_cart import money
from services.chassis import settings

BASKET = (("COFFEE-250G", 2), ("TEAPOT-BLUE", 1), ("TEA-CUP", 4))
ADDRESS = {
    "recipient": "Ada Bazaar",
    "line1": "1 Market Street",
    "city": "Springfield",
    "region": "OR",
    "postal_code": "97477",
    "country": "US",
}
CONFIRMED, DELIVERED, CANCELLED = "CONFIRMED", "DELIVERED", "CANCELLED"
# What is seen of an order that came as far as is expected, or that comes no further.
REACHED = {
    CONFIRMED: ("FULFILLING", "SHIPPED", DELIVERED, CANCELLED),
    DELIVERED: (DELIVERED, CANCELLED),
    CANCELLED: ("FULFILLING", "SHIPPED", DELIVERED, CANCELLED),
}
SETTLE_SECONDS = 60.0
MAIL_SECONDS = 10.0
# The edge lets a user ask 200 times a minute.
POLL_SECONDS = 0.35


# Takes the address and the subject of a mail; answers where it lies, or raises Disappointed.
FindMail = Callable[[str, str], Awaitable[str]]


class Disappointed(Exception):  # noqa: N818 - the shop is at fault, not the program
    """What did not come out as expected, in one line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the shop is, and who takes back what is sent back."""

    edge_url: str = settings.env("EDGE_URL")
    admin_email: str = settings.env("ADMIN_EMAIL", default="")
    admin_password: str = settings.env("ADMIN_PASSWORD", default="", secret=True)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to buy, how to pay, and how that is expected to end. With a search, it is collected in a cart."""

    items: tuple[tuple[str, int], ...]
    payment_method: str
    expect: str
    search: str = ""
    coupon: str = ""
    send_back: bool = False


class Customer:
    """A customer who was never here before."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.email = f"customer-{uuid.uuid4()}@example.com"
        self._password = secrets.token_urlsafe(18)

    async def join(self) -> None:
        """Register, then sign in as on any later day."""
        await self._edge.register(self.email, self._password, ADDRESS["recipient"])
        user = await self._edge.sign_in(self.email, self._password)
        print(f"registered and signed in as {self.email} (user {user['id']})")

    async def collect(self, wish: Wish) -> Json:
        """Look for something, and put what is wanted into a guest's cart: the cart. Raises NothingFoundError."""
        await first_cart.look_for(self._edge, wish.search)
        return await first_cart.collect(self._edge, wish.items)

    async def order(self, wish: Wish, cart: Json | None) -> Json:
        """Place the order, of the guest's cart if there is one."""
        terms = {"shipping_address": ADDRESS, "payment_method": wish.payment_method}
        if cart:
            await first_cart.merge(self._edge, cart)
            if wish.coupon:
                await first_cart.keep(self._edge, wish.coupon)
        started = time.monotonic()
        if cart:
            order = await first_cart.check_out(self._edge, terms)
        else:
            items = [{"sku": sku, "quantity": quantity} for sku, quantity in wish.items]
            codes = [wish.coupon] if wish.coupon else []
            order = await self._edge.post(
                "/api/v1/orders", terms | {"items": items, "coupon_codes": codes}, key=new_key()
            )
        basket = ", ".join(f"{quantity} x {sku}" for sku, quantity in wish.items)
        print(f"ordered {basket} with {wish.payment_method}: {money(order['total'])}")
        print(f"order {order['id']} accepted in {1000 * (time.monotonic() - started):.0f} ms: {order['status']}\n")
        return order

    async def watch(self, order: Json, expect: str) -> None:
        """Print the order's history as it happens, until it came as far as expected, or comes no further.

        Raises Disappointed when that takes too long.
        """
        print(f"{'ms':>8}  {'status':<11} {'event':<28} {'by':<10} {'time':<12} why")
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                async for event in self._history(order["id"]):
                    print(timeline_row(event, order["create_time"]), flush=True)
                    if event["status"] in REACHED[expect]:
                        return
        except TimeoutError:
            raise Disappointed(f"order {order['id']} is not {expect} after {SETTLE_SECONDS:.0f} s") from None

    async def get(self, order_id: str) -> Json:
        """The order as it is now."""
        return await self._edge.get(f"/api/v1/orders/{order_id}")

    async def message_about(self, order: Json) -> Json:
        """The message that tells how the order ended, once it was sent. Raises Disappointed when it is not sent in time."""
        template = "order_cancelled" if order["status"] == CANCELLED else "order_confirmed"
        deadline = time.monotonic() + MAIL_SECONDS
        while True:
            history = await self._edge.get("/api/v1/notifications/history", page_size=20)
            messages: list[Json] = history["notifications"]
            for message in messages:
                about_it = message["order_id"] == order["id"] and message["template"] == template
                if about_it and message["status"] == "SENT":
                    return message
            if time.monotonic() > deadline:
                raise Disappointed(f"no {template} message about {order['id']} was sent within {MAIL_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _history(self, order_id: str) -> AsyncIterator[Json]:
        seen = 0
        try:
            async for event in self._edge.stream(f"/api/v1/orders/{order_id}/watch"):
                seen = int(event["sequence"])
                yield event
        except RefusedError:
            raise
        except EdgeError as broken:
            print(f"{'':>8}  ({broken}; asking instead)")
        async for event in self._asked_for(order_id, after=seen):
            yield event

    async def _asked_for(self, order_id: str, *, after: int) -> AsyncIterator[Json]:
        while True:
            status = await self._edge.get(f"/api/v1/orders/{order_id}/status")
            for event in status["timeline"]:
                if int(event["sequence"]) > after:
                    after = int(event["sequence"])
                    yield event
            if status["saga"]["step"] == "DONE":
                return
            await asyncio.sleep(POLL_SECONDS)


async def place_first_order(shop: first_return.Shop, wish: Wish, *, find_mail: FindMail | None = None) -> None:
    """Do it all. `find_mail` is asked where the mail lies. Raises Disappointed or EdgeError, and what `find_mail` does."""
    async with Edge.connect(shop.edge_url) as edge:
        customer = Customer(edge)
        cart = await customer.collect(wish) if wish.search else None
        await customer.join()
        placed = await customer.order(wish, cart)
        await customer.watch(placed, wish.expect)
        order = await customer.get(placed["id"])
        if (order["status"] == CANCELLED) != (wish.expect == CANCELLED):
            why = f" ({order['cancel_reason']})" if order["cancel_reason"] else ""
            raise Disappointed(f"order {order['id']} is {order['status']}{why}, not {wish.expect}")
        print(f"\n{summary(order)}")
        message = await customer.message_about(order)
        if wish.send_back:
            await first_return.send_back(edge, shop, order)
    took = milliseconds_between(order["create_time"], message["send_time"])
    print(f"message      {message['subject']!r} to {customer.email}, sent {took:.0f} ms after acceptance")
    if find_mail:
        print(f"mail         {await find_mail(customer.email, message['subject'])}")


def timeline_row(event: Json, accepted: str) -> str:
    """One event of an order's history, and how long after its acceptance it was recorded."""
    elapsed = milliseconds_between(accepted, event["time"])
    clock = datetime.fromisoformat(event["time"]).strftime("%H:%M:%S.%f")[:-3]
    # Any user in here is the customer of this run.
    actor = "you" if event["actor"].startswith("user:") else event["actor"]
    row = f"{elapsed:8.0f}  {event['status']:<11} {event['event']:<28} {actor:<10} {clock}"
    return f"{row} {event['reason']}".rstrip()


def summary(order: Json) -> str:
    """What became of the order, as a table."""
    rows = {
        "order": order["id"],
        "status": f"{order['status']} {order['cancel_reason']}".strip(),
        "total": money(order["total"]),
        "payment": order["payment_id"] or "none",
    }
    lines = [f"{line['quantity']:>4} x {line['sku']:<24} {money(line['total']):>12}" for line in order["lines"]]
    return "\n".join([*lines, "", *(f"{name:<12} {value}" for name, value in rows.items())])


def milliseconds_between(earlier: str, later: str) -> float:
    """How long from one RFC 3339 time to another."""
    return 1000 * (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def parse_item(text: str) -> tuple[str, int]:
    """Read `SKU:QTY`, or `SKU` for one. Raises what argparse reports to the user."""
    sku, _, quantity = text.partition(":")
    if not sku or not (quantity or "1").isdecimal() or int(quantity or 1) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not SKU:QTY, such as COFFEE-250G:2")
    return sku, int(quantity or 1)


def main(arguments: Sequence[str] | None = None, *, find_mail: FindMail | None = None) -> int:
    """Place the order that the command line describes. Answers with a process exit code."""
    wish = _wish(arguments)
    try:
        chosen = settings.read(Settings, environment.here())
        shop = first_return.Shop(chosen.edge_url, chosen.admin_email, chosen.admin_password)
        asyncio.run(place_first_order(shop, wish, find_mail=find_mail))
    except settings.SettingsError as unset:
        print(f"first order: {unset}: start the stack with `make run`", file=sys.stderr)
        return 1
    except (Disappointed, EdgeError, first_cart.NothingFoundError, first_return.NotRefundedError) as failure:
        print(f"first order: {failure}", file=sys.stderr)
        return 1
    return 0


def _wish(arguments: Sequence[str] | None) -> Wish:
    parser = argparse.ArgumentParser(description="Place an order, and watch it.")
    parser.add_argument("--sku", action="append", type=parse_item, metavar="SKU:QTY", help="what to buy; repeatable")
    parser.add_argument("--payment-method", default="card_approved", help="a token of the payment provider")
    parser.add_argument("--expect", default=CONFIRMED, choices=REACHED, help="how far the order is to come")
    parser.add_argument("--cart", default="", metavar="WORDS", help="search for these, and order by way of a cart")
    parser.add_argument("--coupon", default="", metavar="CODE", help="a coupon code to use")
    parser.add_argument("--send-back", action="store_true", help="return a line once the order is DELIVERED")
    options = parser.parse_args(arguments)
    if options.send_back and options.expect != DELIVERED:
        parser.error("--send-back goes with --expect DELIVERED: what has not come cannot be sent back")
    items = tuple(options.sku or BASKET)
    way = {"search": options.cart, "coupon": options.coupon, "send_back": options.send_back}
    return Wish(items, options.payment_method, options.expect, **way)


if __name__ == "__main__":
    sys.exit(main())
