"""Returns as customers and a warehouse see them: over REST, through the edge of the running stack."""

import asyncio

from tests.support import shop


async def request(
    customer: shop.Person, order_id: str, *lines: tuple[str, int], reason: str = "CHANGED_MIND", key: str = ""
) -> shop.Json:
    """Ask for so many of these SKUs to be taken back."""
    wanted = [{"sku": sku, "quantity": quantity, "reason": reason} for sku, quantity in lines]
    return shop.taken(await customer.post(f"/api/v1/orders/{order_id}/returns", {"lines": wanted}, key=key))


async def do(admin: shop.Person, return_id: str, verb: str, **body: object) -> shop.Json:
    """Decide something about a return: how it is then."""
    return shop.taken(await admin.http.put(f"/api/v1/returns/{return_id}/{verb}", json=body))


async def arrived(
    admin: shop.Person, return_id: str, *findings: tuple[str, int, int], warehouse: str = ""
) -> shop.Json:
    """Approve, receive and inspect a return: so many of a SKU can be sold again, so many cannot."""
    await do(admin, return_id, "approve")
    await do(admin, return_id, "receive", warehouse=warehouse)
    found = [{"sku": sku, "resell": resell, "scrap": scrap} for sku, resell, scrap in findings]
    return await do(admin, return_id, "inspect", findings=found)


async def refunded(customer: shop.Person, return_id: str, *, within_s: float = shop.SETTLE_S) -> shop.Json:
    """Wait until the money of a return was given back. Raises TimeoutError when it was not in time."""
    async with asyncio.timeout(within_s):
        while True:
            found = shop.taken(await customer.http.get(f"/api/v1/returns/{return_id}"))
            if found["status"] == "REFUNDED":
                return found
            await asyncio.sleep(shop.POLL_S)


async def stocked(customer: shop.Person, product: shop.Product, on_hand: int) -> None:
    """Wait until so many of a product lie there. Raises TimeoutError when they do not in time."""
    async with asyncio.timeout(shop.SETTLE_S):
        while (await customer.stock(product))["on_hand"] != on_hand:
            await asyncio.sleep(shop.POLL_S)
