"""The page of a bank on which a customer confirms a payment (3-D Secure), as the simulated provider shows it."""

import httpx

from tests.support import shop
from tests.support.polling import eventually

# Pays once its customer has confirmed.
CARD = "card_requires_action"


async def is_asking(customer: shop.Person, order_id: str, *, within_s: float = shop.SETTLE_S) -> None:
    """Wait until the order waits for its customer. Raises TimeoutError when it does not."""

    async def waits() -> bool:
        return bool((await customer.order(order_id))["action_required"])

    await eventually(waits, within_s=within_s)


async def answer(customer: shop.Person, order_id: str, said: str) -> None:
    """The customer says `confirm` or `refuse` on the page that the payment names."""
    page = (await customer.payment(order_id))["action"]["redirect_url"]
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert "Confirm" in (await browser.get(page)).text
        shop.taken(await browser.post(page, data={"answer": said}))
