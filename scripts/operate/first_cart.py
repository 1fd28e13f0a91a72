"""How the first user collects what they order: they search, fill a cart as a guest, sign in, and check out with a coupon.

`first_order` takes these steps when it is asked for a cart; each prints a line. All of it is REST through the edge.
"""

import asyncio
import time
from collections.abc import Sequence

from scripts.operate.edge import Edge, Json

# The sample shop has it.
COUPON = "WELCOME10"
GUEST, CART = "/api/v1/cart/guest", "/api/v1/cart"
# What was put on the shelves a moment ago is found a moment later.
FOUND_WITHIN_S = 10.0
AGAIN_S = 0.5


class NothingFoundError(Exception):
    """A search for what is in the shop found nothing."""


async def look_for(edge: Edge, words: str) -> None:
    """Search, and show what was found first. Raises NothingFoundError when it finds nothing for some seconds."""
    until = time.monotonic() + FOUND_WITHIN_S
    while not (found := await edge.get("/api/v1/products/search", text=words, page_size=3))["results"]:
        if time.monotonic() > until:
            raise NothingFoundError(f"a search for {words!r} finds nothing")
        await asyncio.sleep(AGAIN_S)
    titles = ", ".join(result["title"] for result in found["results"])
    print(f"searched for {words!r}: {found['total']} found, the first are {titles}")


async def collect(edge: Edge, items: Sequence[tuple[str, int]]) -> Json:
    """Put these into a new guest's cart: the cart."""
    cart = await edge.post(GUEST, {})
    for sku, quantity in items:
        cart = await edge.post(f"{GUEST}/items", {"cart_id": cart["cart_id"], "sku": sku, "quantity": quantity})
    print(f"put {sum(quantity for _, quantity in items)} things into a guest's cart: {money(cart['total'])}")
    return cart


async def merge(edge: Edge, guest: Json) -> Json:
    """Take the guest's cart along after signing in: the user's cart."""
    cart = await edge.post(f"{CART}/merge", {"cart_id": guest["cart_id"]})
    print(f"took the cart along: {len(cart['lines'])} lines, {money(cart['total'])}")
    return cart


async def keep(edge: Edge, code: str) -> Json:
    """Keep a coupon in the user's cart: the cart."""
    cart = await edge.put(f"{CART}/coupons/{code}", {})
    print(f"the cart keeps the coupon {code}")
    return cart


async def check_out(edge: Edge, terms: Json) -> Json:
    """Order the user's cart at the price that it shows for this address: the order. terms has address and payment method."""
    address = terms["shipping_address"]
    cart = await edge.get(CART, country=address["country"], region=address.get("region", ""))
    agreed = {"expected_version": cart["version"]}
    # Without totals the order service says why, or whether it can be had after all.
    if cart.get("totals"):
        print(explained(cart))
        agreed |= {"expected_total": cart["totals"]["total"]}
    made = await edge.post(f"{CART}/checkout", terms | agreed)
    return await edge.get(f"/api/v1/orders/{made['order_id']}")


def explained(cart: Json) -> str:
    """What a cart says of the price, in one line."""
    totals = cart["totals"]
    off = [f"- {money(one['amount'])} ({one['title']}, {one['code'] or 'no code'})" for one in cart["discounts"]]
    added = [f"+ {money(totals[name])} {name}" for name in ("shipping", "taxes") if money(totals[name]) != "0.00 USD"]
    return " ".join(["price:", money(totals["items"]), *off, *added, "=", money(totals["total"])])


def money(value: Json) -> str:
    """An amount, as people write it."""
    return f"{value['units']}.{int(value['nanos']) // 10_000_000:02d} {value['currency_code']}"
