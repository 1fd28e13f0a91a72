"""Orders that do not go well: what was held or paid for them is given back, by everybody's books."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from tests.support import audit, shop

# What the history of a cancelled order ends with, and who says so.
GIVEN_BACK = ("StockReleased", "CANCELLED")


def steps(status: shop.Json) -> list[tuple[str, str]]:
    return [(event["event"], event["status"]) for event in status["timeline"]]


def effects(log: list[shop.Json]) -> list[str]:
    return [line["effect"] for line in log]


async def test_an_order_of_more_than_there_is_is_cancelled_and_told_what_is_short(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer = await market.customer()
    plenty, scarce = await market.product(stock=50), await market.product(stock=2, west=1)

    order = await customer.place(shop.basket((plenty, 1), (scarce, 5)))
    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "STOCK_SHORT")
    assert ended["shortages"] == [{"sku": scarce.sku, "requested": "5", "available": "3"}]
    assert steps(await customer.status(order["id"])) == [("OrderPlaced", "PENDING"), ("StockRejected", "CANCELLED")]
    assert await customer.stock(plenty) == {"on_hand": 50, "reserved": 0, "available": 50}
    assert (await customer.http.get(f"/api/v1/payments/{order['id']}")).status_code == 404
    assert await auditor.provider_log(order["id"]) == []
    await auditor.audit([order["id"]])


async def test_an_order_is_served_from_two_warehouses_when_one_has_not_enough(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea = await market.customer(), await market.product(stock=2, west=3)

    order = await customer.place(shop.basket((tea, 4)))

    assert (await customer.settled(order["id"]))["status"] == shop.PAID
    assert await customer.stock(tea) == {"on_hand": 1, "reserved": 0, "available": 1}
    await auditor.audit([order["id"]])


async def test_the_last_pieces_are_sold_once_however_many_want_them(market: shop.Shop, auditor: audit.Auditor) -> None:
    tea = await market.product(stock=3)
    crowd = [await market.customer() for _ in range(10)]

    placed = await asyncio.gather(*(person.place(shop.basket((tea, 1))) for person in crowd))
    ended = await asyncio.gather(*(person.settled(order["id"]) for person, order in zip(crowd, placed, strict=True)))

    assert sorted(order["status"] for order in ended) == ["CANCELLED"] * 7 + [shop.PAID] * 3
    assert await crowd[0].stock(tea) == {"on_hand": 0, "reserved": 0, "available": 0}
    await auditor.audit([order["id"] for order in placed])


@pytest.mark.parametrize(
    ("card", "why"),
    [
        ("card_declined", "CARD_DECLINED"),
        ("card_insufficient_funds", "INSUFFICIENT_FUNDS"),
        ("card_of_nobody", "UNKNOWN_PAYMENT_METHOD"),
    ],
)
async def test_a_declined_card_cancels_the_order_and_gives_its_stock_back(
    market: shop.Shop, auditor: audit.Auditor, card: str, why: str
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)

    order = await customer.place(shop.basket((tea, 2), card=card))
    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "PAYMENT_DECLINED")
    status = await customer.status(order["id"])
    assert steps(status)[-2:] == [("PaymentDeclined", "CANCELLING"), GIVEN_BACK]
    assert status["timeline"][-2]["reason"] == why
    payment = await customer.payment(order["id"])
    assert (payment["status"], payment["failure_reason"]) == ("DECLINED", why)
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    await auditor.audit([order["id"]])


@pytest.mark.parametrize(
    "card",
    ["card_slow", "card_timeout_after_charge", "card_timeout_before_charge", "card_error_500", "card_charge_then_500"],
)
async def test_a_provider_that_falters_charges_once_in_the_end(
    market: shop.Shop, auditor: audit.Auditor, card: str
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)

    order = await customer.place(shop.basket((tea, 2), card=card))
    ended = await customer.settled(order["id"])

    assert ended["status"] == shop.PAID, ended
    payment = await customer.payment(order["id"])
    assert (payment["status"], payment["captured_amount"]) == ("CAPTURED", order["total"])
    moved = [effect for effect in effects(await auditor.provider_log(order["id"])) if effect != "failed"]
    assert moved == ["authorized", "captured"]
    await auditor.audit([order["id"]])


async def test_money_that_is_not_handed_over_cancels_the_order_and_calls_a_person(
    market: shop.Shop, auditor: audit.Auditor, environment: Mapping[str, str]
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    before = await alarms(environment)

    order = await customer.place(shop.basket((tea, 2), card="card_capture_refused"))
    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "CAPTURE_REFUSED")
    status = await customer.status(order["id"])
    [refusal] = [event for event in status["timeline"] if event["event"] == "PaymentCaptureRefused"]
    assert (refusal["status"], refusal["actor"]) == ("CONFIRMED", "payment")
    # Nothing of it is sent: shipping was asked first.
    assert "ShipmentsStopped" in [event["event"] for event in status["timeline"]]
    payment = await customer.payment(order["id"])
    assert (payment["status"], shop.cents(payment["captured_amount"])) == ("VOIDED", 0)
    assert "captured" not in effects(await auditor.provider_log(order["id"]))
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    assert await alarms(environment) > before
    await auditor.audit([order["id"]])


async def alarms(environment: Mapping[str, str]) -> float:
    """How often a person was called because money was not handed over."""
    async with httpx.AsyncClient(trust_env=False) as scraper:
        metrics = (await scraper.get(f"http://{environment['ORDER_METRICS_ADDR']}/metrics")).text
    wanted = 'souk_alarms_total{alarm="capture_refused",service="order"} '
    return sum(float(line.removeprefix(wanted)) for line in metrics.splitlines() if line.startswith(wanted))


async def test_an_order_cancelled_while_its_money_is_asked_for_pays_nothing(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 2), card="card_slow"))
    await customer.reached(order["id"], "RESERVED")

    cancelled = await customer.cancel(order["id"])
    ended = await customer.settled(order["id"])

    assert cancelled["status"] == "CANCELLING"
    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "CANCEL_REQUESTED")
    assert effects(await auditor.provider_log(order["id"])) == ["authorized", "voided"]
    assert (await customer.payment(order["id"]))["status"] == "VOIDED"
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    [wish] = [e for e in (await customer.status(order["id"]))["timeline"] if e["event"] == "CancelRequested"]
    assert wish["actor"] == f"user:{customer.user_id}"
    await auditor.audit([order["id"]])


async def test_a_paid_order_that_is_cancelled_is_refunded(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 2)))
    assert (await customer.settled(order["id"]))["status"] == shop.PAID

    await customer.cancel(order["id"])
    ended = await customer.settled(order["id"])

    assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "CANCEL_REQUESTED")
    payment = await customer.payment(order["id"])
    assert (payment["status"], payment["refunded_amount"]) == ("REFUNDED", order["total"])
    assert effects(await auditor.provider_log(order["id"])) == ["authorized", "captured", "refunded"]
    assert await customer.stock(tea) == {"on_hand": 5, "reserved": 0, "available": 5}
    await auditor.audit([order["id"]])


async def test_orders_cancelled_at_any_moment_keep_nothing(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, tea = await market.customer(), await market.product(stock=100)

    async def place_and_regret(wait_s: float) -> str:
        order = await customer.place(shop.basket((tea, 1)))
        await asyncio.sleep(wait_s)
        await customer.cancel(order["id"])
        ended = await customer.settled(order["id"])
        assert (ended["status"], ended["cancel_reason"]) == ("CANCELLED", "CANCEL_REQUESTED")
        return str(order["id"])

    placed = await asyncio.gather(*(place_and_regret(0.01 * number) for number in range(20)))

    assert await customer.stock(tea) == {"on_hand": 100, "reserved": 0, "available": 100}
    await auditor.audit(placed)


async def test_cancelling_again_changes_nothing(market: shop.Shop, auditor: audit.Auditor) -> None:
    customer, tea = await market.customer(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 1)))
    await customer.settled(order["id"])
    await customer.cancel(order["id"])
    ended = await customer.settled(order["id"])

    again = await customer.cancel(order["id"])

    assert again == ended
    await auditor.audit([order["id"]])


async def test_an_administrator_cancels_anybodys_order_and_is_recorded(
    market: shop.Shop, auditor: audit.Auditor
) -> None:
    customer, admin, tea = await market.customer(), await market.admin(), await market.product(stock=5)
    order = await customer.place(shop.basket((tea, 1)))
    await customer.settled(order["id"])

    await admin.cancel(order["id"])

    assert (await customer.settled(order["id"]))["status"] == "CANCELLED"
    [wish] = [e for e in (await customer.status(order["id"]))["timeline"] if e["event"] == "CancelRequested"]
    assert wish["actor"] == f"user:{admin.user_id}"
    await auditor.audit([order["id"]])


async def test_a_saga_that_is_not_stuck_cannot_be_pushed(market: shop.Shop) -> None:
    customer, admin = await market.customer(), await market.admin()
    order = await customer.place(shop.basket((await market.product(), 1)))
    await customer.settled(order["id"])

    refused = await admin.http.put(f"/api/v1/orders/{order['id']}/resume", json={})

    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "SAGA_NOT_STUCK")
