"""How the first user sends something back: a line that broke, and exactly its money comes back. All by REST through the edge.

`first_order` takes these steps when it is asked to; each prints a line. The shop's part (approve, receive, inspect) is played by
its administrator, whose address and password the environment has to name.
"""

import asyncio
import time
from dataclasses import dataclass

from scripts.operate.edge import Edge, Json, new_key
from scripts.operate.first_cart import money

REFUNDED_WITHIN_S = 20.0
AGAIN_S = 0.35


class NotRefundedError(Exception):
    """The money did not come back, or not exactly."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the shop is, and who runs it."""

    edge_url: str
    email: str = ""
    password: str = ""


async def send_back(edge: Edge, shop: Shop, order: Json) -> None:
    """Return the first line of a delivered order, and wait for its money. Raises NotRefundedError."""
    line = order["lines"][0]
    wanted = {"sku": line["sku"], "quantity": line["quantity"], "reason": "DEFECTIVE"}
    asked = await edge.post(f"/api/v1/orders/{order['id']}/returns", {"lines": [wanted]}, key=new_key())
    print(f"\nsent back    {line['quantity']} x {line['sku']}, which cost {money(line['payable'])}")
    started = time.monotonic()
    await _take_back(shop, asked)
    ended = await _refunded(edge, asked["id"])
    payment = await edge.get(f"/api/v1/payments/{order['id']}")
    print(
        f"refunded     {money(ended['refunded_amount'])}, {1000 * (time.monotonic() - started):.0f} ms after it arrived"
    )
    for got in (ended["refunded_amount"], payment["refunded_amount"]):
        if got != line["payable"]:
            raise NotRefundedError(f"{money(got)} came back of order {order['id']}, not {money(line['payable'])}")


async def _take_back(shop: Shop, asked: Json) -> None:
    """What the shop does: the goods cannot be sold again."""
    findings = [{"sku": line["sku"], "scrap": line["quantity"]} for line in asked["lines"]]
    async with Edge.connect(shop.edge_url) as admin:
        await admin.sign_in(shop.email, shop.password)
        for verb, body in (("approve", {}), ("receive", {}), ("inspect", {"findings": findings})):
            await admin.put(f"/api/v1/returns/{asked['id']}/{verb}", body)


async def _refunded(edge: Edge, return_id: str) -> Json:
    until = time.monotonic() + REFUNDED_WITHIN_S
    while (back := await edge.get(f"/api/v1/returns/{return_id}"))["status"] != "REFUNDED":
        if time.monotonic() > until:
            raise NotRefundedError(f"return {return_id} is {back['status']} after {REFUNDED_WITHIN_S:.0f} s")
        await asyncio.sleep(AGAIN_S)
    return back
