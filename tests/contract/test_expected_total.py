"""What an order costs and what its customer agreed to pay, through the edge: refused with both amounts, and nothing changes."""

import pytest

from tests.contract.world import World, refusal, wrong_fields
from tests.support import shop
from tests.support.audit import Auditor

pytestmark = pytest.mark.asyncio(loop_scope="module")

USD = {"currency_code": "USD", "units": 12, "nanos": 500_000_000}


async def test_an_order_at_the_agreed_total_is_accepted(world: World) -> None:
    basket = shop.basket((world.products["vendors"], 1)) | {"expected_total": USD}
    placed = await world.people["customer"].place(basket)
    assert shop.cents(placed["total"]) == 1250
    await world.people["customer"].settled(placed["id"])


@pytest.mark.parametrize("expected", [USD | {"units": 11}, USD | {"units": 13}, USD | {"currency_code": "EUR"}])
async def test_an_order_at_another_total_is_refused_with_both(
    world: World, auditor: Auditor, expected: shop.Json
) -> None:
    before = await world.seen(auditor)
    basket = shop.basket((world.products["vendors"], 1)) | {"expected_total": expected}
    answer = await world.people["customer"].post("/api/v1/orders", basket, key=shop.new_key())
    assert refusal(answer) == (409, "ORDER_TOTAL_CHANGED")
    [info] = [detail for detail in answer.json()["details"] if "reason" in detail]
    assert info["metadata"] == {
        "total": "12.50",
        "currency": "USD",
        "expected_total": f"{expected['units']}.50",
        "expected_currency": expected["currency_code"],
    }
    assert await world.seen(auditor) == before


@pytest.mark.parametrize("expected", [USD | {"nanos": 1}, USD | {"currency_code": "XXX"}, USD | {"units": 10**15}])
async def test_an_agreed_total_that_is_no_money_is_named(world: World, expected: shop.Json) -> None:
    basket = shop.basket((world.products["vendors"], 1)) | {"expected_total": expected}
    answer = await world.people["customer"].post("/api/v1/orders", basket)
    assert refusal(answer) == (400, "MONEY_INVALID")
    assert wrong_fields(answer) == {"expected_total"}


async def test_more_than_any_order_may_cost_is_refused_by_the_limit(world: World, auditor: Auditor) -> None:
    before = await world.seen(auditor)
    answer = await world.people["customer"].post("/api/v1/orders", shop.basket((world.products["gold"], 999)))
    assert refusal(answer) == (400, "ORDER_TOTAL_TOO_LARGE")
    [info] = [detail for detail in answer.json()["details"] if "reason" in detail]
    assert info["metadata"] == {"limit": "10000000.00", "currency": "USD"}
    assert await world.seen(auditor) == before
