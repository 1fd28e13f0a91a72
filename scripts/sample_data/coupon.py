"""The coupon of the sample shop: ten per cent off a first order."""

from scripts.operate import first_cart
from scripts.operate.edge import Edge, Json, RefusedError

TITLE = "Ten per cent off your first order"
PROMOTIONS = "/api/v1/promotions"
TERMS = {"title": TITLE, "percentage": {"basis_points": 1000}, "first_order_only": True}


async def make(admin: Edge) -> bool:
    """Make it unless it is there: whether it was made. What a run that was cut short left out is made by the next one."""
    known = [one for one in await admin.pages(PROMOTIONS, "promotions", 100) if one["terms"]["title"] == TITLE]
    promotion = known[0] if known else await admin.post(PROMOTIONS, {"terms": TERMS}, key="sample-data-welcome")
    try:
        await add_code(admin, promotion, first_cart.COUPON, key="sample-data-welcome-code")
    except RefusedError as refused:
        if refused.reason != "CODE_TAKEN":
            raise
        return False
    return not known


async def add_code(admin: Edge, promotion: Json, code: str, *, key: str) -> None:
    """Let a code redeem this promotion. Raises RefusedError."""
    await admin.post(f"{PROMOTIONS}/{promotion['id']}/codes", {"code": code}, key=key)
