"""The calls of promotion, on a real gRPC server and a real database."""

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from google.type.money_pb2 import Money

from services.chassis import database
from services.chassis.rpc import page_tokens, status
from services.promotion import rpc
from souk.promotion.v1 import promotion_pb2, promotion_service_pb2, promotion_service_pb2_grpc
from tests.integration.promotion import ordering
from tests.support import calls

ADMIN = str(uuid.uuid4())
Item = promotion_service_pb2.QuoteRequest.Item
ORDER = promotion_service_pb2.BatchQuoteOrdersRequest.Order


def tea(units: int, **about: Any) -> promotion_service_pb2.BatchQuoteOrdersRequest.Order:
    """An order of one tea that costs so many dollars."""
    item = ORDER.Item(sku="TEA", quantity=1, unit_price=Money(currency_code="USD", units=units))
    return ORDER(items=[item], **about)


@dataclass(frozen=True)
class Till:
    """A stub, and who calls."""

    stub: Any
    shop: calls.Shop

    @property
    def admin(self) -> tuple[tuple[str, str], ...]:
        return self.shop.as_user(ADMIN, "ADMIN")

    async def made(self, request_id: str = "", **terms: Any) -> promotion_pb2.Promotion:
        chosen = {"title": "Sale", "percentage": promotion_pb2.Percentage(basis_points=1000), **terms}
        request = promotion_service_pb2.CreatePromotionRequest(
            terms=promotion_pb2.Terms(**chosen), request_id=request_id
        )
        made: promotion_pb2.Promotion = await self.stub.CreatePromotion(request, metadata=self.admin)
        return made

    async def codes(self, promotion_id: str, **wanted: Any) -> promotion_service_pb2.CodeBatch:
        request = promotion_service_pb2.CreateCodesRequest(id=promotion_id, **wanted)
        batch: promotion_service_pb2.CodeBatch = await self.stub.CreateCodes(request, metadata=self.admin)
        return batch

    async def coded(self) -> str:
        """The code of a new promotion: ten per cent off."""
        code = f"C{uuid.uuid4().hex[:12].upper()}"
        await self.codes((await self.made()).id, code=code)
        return code

    async def quoted(self, *orders: promotion_service_pb2.BatchQuoteOrdersRequest.Order) -> list[Any]:
        request = promotion_service_pb2.BatchQuoteOrdersRequest(orders=orders)
        return list((await self.stub.BatchQuoteOrders(request, metadata=self.shop.as_service("order"))).quotes)

    async def exported(self, promotion_id: str, **where: Any) -> list[str]:
        request = promotion_service_pb2.ExportCodesRequest(id=promotion_id, **where)
        return [code.code async for c in self.stub.ExportCodes(request, metadata=self.admin) for code in c.codes]


@pytest_asyncio.fixture
async def till(db: database.Database) -> AsyncIterator[Till]:
    async with calls.served(rpc.servicer(ordering.using(db), page_tokens.PageTokens(db)), "promotion") as shop:
        yield Till(promotion_service_pb2_grpc.PromotionServiceStub(shop.channel), shop)


@pytest_asyncio.fixture(autouse=True)
async def no_promotions(db: database.Database) -> None:
    await db.read(database.Statement("TRUNCATE promotions, codes, code_batches, redemptions"))


async def test_all_kinds_of_terms_are_kept_as_they_were_said(till: Till) -> None:
    usd = Money(currency_code="USD", units=5)
    tiers = [
        promotion_pb2.Tier(minimum=usd, basis_points=500),
        promotion_pb2.Tier(minimum=Money(currency_code="USD", units=9), amount=usd),
    ]
    for kind in (
        {"percentage": promotion_pb2.Percentage(basis_points=1)},
        {"fixed_amount": promotion_pb2.FixedAmount(amount=usd)},
        {"free_shipping": promotion_pb2.FreeShipping()},
        {"buy_x_get_y": promotion_pb2.BuyXGetY(buy=2, get=1, basis_points=10000, most_times=3)},
        {"tiered": promotion_pb2.Tiered(tiers=tiers)},
    ):
        terms: dict[str, Any] = {
            "title": "All of it",
            "minimum_spend": usd,
            "scope": promotion_pb2.Scope(product_ids=[ADMIN], categories=["a", "b"], vendor_ids=[ADMIN]),
            "start_local": "2026-11-27T00:00",
            "time_zone": "Europe/Berlin",
            "most_uses": 7,
            "exclusive": True,
            "priority": 3,
            **kind,
        }
        request = promotion_service_pb2.CreatePromotionRequest(terms=promotion_pb2.Terms(**terms))
        made = await till.stub.CreatePromotion(request, metadata=till.admin)
        assert made.terms == promotion_pb2.Terms(**terms)
        read = await till.stub.GetPromotion(promotion_service_pb2.GetPromotionRequest(id=made.id), metadata=till.admin)
        assert read == made
        assert made.start_time.seconds == 1795734000  # 2026-11-26T23:00Z


async def test_a_repeated_request_finds_what_its_first_made_and_lists_show_it_once(till: Till) -> None:
    first, again = await till.made("once"), await till.made("once")
    other = await till.made("other")
    assert first == again
    request = promotion_service_pb2.ListPromotionsRequest(page_size=1)
    page = await till.stub.ListPromotions(request, metadata=till.admin)
    assert [promotion.id for promotion in page.promotions] == [other.id]
    request = promotion_service_pb2.ListPromotionsRequest(page_size=1, page_token=page.next_page_token)
    page = await till.stub.ListPromotions(request, metadata=till.admin)
    assert ([promotion.id for promotion in page.promotions], page.next_page_token) == ([first.id], "")


async def test_an_edit_of_what_was_changed_meanwhile_is_refused(till: Till) -> None:
    before = await till.made()
    for title, outcome in (("Mine", 2), ("Theirs", "VERSION_CHANGED")):
        terms = promotion_pb2.Terms(title=title, percentage=promotion_pb2.Percentage(basis_points=5))
        request = promotion_service_pb2.UpdatePromotionRequest(id=before.id, expected_version=1, terms=terms)
        if isinstance(outcome, int):
            assert (await till.stub.UpdatePromotion(request, metadata=till.admin)).version == outcome
        else:
            assert (await calls.refused(till.stub.UpdatePromotion(request, metadata=till.admin))).reason == outcome


async def test_codes_are_quoted_by_line_and_said_why_when_they_do_not_apply(till: Till) -> None:
    tea = await till.made(scope=promotion_pb2.Scope(categories=["tea"]))
    assert (await till.codes(tea.id, code="Tea-10")).count == 1
    request = promotion_service_pb2.QuoteRequest(
        items=[Item(sku="TEA", quantity=2), Item(sku="POT", quantity=1)], codes=["tea-10", "nothing"]
    )
    found = await till.stub.Quote(request)
    assert [(line.sku, line.price.units, line.total.units) for line in found.lines] == [("POT", 20, 20), ("TEA", 10, 9)]
    assert [discount.code for discount in found.lines[1].discounts] == ["TEA-10"]
    assert [(code.code, code.applied, code.refusal) for code in found.codes] == [
        ("tea-10", True, promotion_pb2.REFUSAL_UNSPECIFIED),
        ("nothing", False, promotion_pb2.CODE_UNKNOWN),
    ]
    assert (found.total.units, found.redemptions[0].discount.units) == (29, 1)


async def test_what_is_not_for_sale_is_not_quoted(till: Till) -> None:
    request = promotion_service_pb2.QuoteRequest(items=[Item(sku="NONE", quantity=1)])
    assert (await calls.refused(till.stub.Quote(request))).reason == "SKU_UNKNOWN"


async def test_an_order_is_quoted_at_its_own_prices_with_its_shipping_for_its_customer(
    till: Till, db: database.Database
) -> None:
    user_id = ordering.new_id()
    once = await till.made(automatic=True, most_uses_per_customer=1)
    await till.made(free_shipping=promotion_pb2.FreeShipping(), percentage=None, automatic=True)
    order = tea(100, shipping=Money(currency_code="USD", units=4), user_id=user_id)
    [found] = await till.quoted(order)
    assert [(one.redeems_version, [line.amount.units for line in one.lines]) for one in found.discounts] == [
        (1, [10]),
        (0, []),
    ]
    assert [one.shipping.units for one in found.discounts] == [0, 4]
    promotion = await ordering.using(db).administering.get(once.id)
    await ordering.deliver(db, ordering.record(ordering.placed(ordering.new_id(), promotion, user_id=user_id)))
    [found, stranger] = await till.quoted(order, tea(100, user_id=ordering.new_id()))
    assert [one.promotion_id for one in found.discounts if one.redeems_version] == [], "used as often as possible"
    assert [one.promotion_id for one in stranger.discounts] == [once.id]
    request = promotion_service_pb2.BatchQuoteOrdersRequest(orders=[order])
    refused = await calls.refused(till.stub.BatchQuoteOrders(request, metadata=till.admin))
    assert refused.reason == "ACCESS_DENIED"


async def test_orders_are_quoted_together_each_with_its_own_codes_prices_and_errors(till: Till) -> None:
    own, others = await till.coded(), await till.coded()
    odd = tea(100, codes=[own])
    odd.items.append(odd.items[0])
    found = await till.quoted(tea(100, codes=[own]), tea(50, codes=[others]), odd, tea(80), tea(70, codes=["NONE"]))
    off = [sum(line.amount.units for one in quote.discounts for line in one.lines) for quote in found]
    assert off == [10, 5, 0, 0, 0]
    assert [one.code for quote in found for one in quote.discounts] == [own, others]
    assert [status.error_of(quote.error).reason for quote in found if quote.HasField("error")] == ["SKU_DUPLICATE"]
    assert [(code.applied, code.refusal) for code in found[4].codes] == [(False, promotion_pb2.CODE_UNKNOWN)]


async def test_an_order_with_an_impossible_amount_is_named(till: Till) -> None:
    request = promotion_service_pb2.BatchQuoteOrdersRequest(orders=[tea(1), tea(1)])
    request.orders[1].items[0].unit_price.nanos = 1
    refused = await calls.refused(till.stub.BatchQuoteOrders(request, metadata=till.shop.as_service("order")))
    assert (refused.reason, refused.violations[0].field) == ("MONEY_INVALID", "orders[1].items[0].unit_price")


async def test_order_learns_whether_any_promotion_needs_no_code(till: Till) -> None:
    order = till.shop.as_service("order")

    async def any_automatic() -> bool:
        request = promotion_service_pb2.HasAutomaticRequest()
        return bool((await till.stub.HasAutomatic(request, metadata=order)).any)

    for promotion in (
        await till.stub.ListPromotions(promotion_service_pb2.ListPromotionsRequest(page_size=100), metadata=till.admin)
    ).promotions:
        await till.stub.EndPromotion(promotion_service_pb2.EndPromotionRequest(id=promotion.id), metadata=till.admin)
    await till.made()
    assert not await any_automatic(), "it needs a code"
    automatic = await till.made(automatic=True)
    assert await any_automatic()
    await till.stub.EndPromotion(promotion_service_pb2.EndPromotionRequest(id=automatic.id), metadata=till.admin)
    assert not await any_automatic()


async def test_an_ended_promotion_stays_ended_and_takes_no_codes(till: Till) -> None:
    sale = await till.made()
    end = promotion_service_pb2.EndPromotionRequest(id=sale.id)
    over = await till.stub.EndPromotion(end, metadata=till.admin)
    assert over.HasField("end_time")
    assert await till.stub.EndPromotion(end, metadata=till.admin) == over
    assert (await calls.refused(till.codes(sale.id, count=1))).reason == "PROMOTION_ENDED"


async def test_a_code_exists_once_in_the_shop_and_an_automatic_promotion_has_none(till: Till) -> None:
    one, other, automatic = await till.made(), await till.made(), await till.made(automatic=True)
    await till.codes(one.id, code="summer")
    assert (await calls.refused(till.codes(other.id, code="SUMMER"))).reason == "CODE_TAKEN"
    assert (await calls.refused(till.codes(automatic.id, count=1))).reason == "PROMOTION_AUTOMATIC"
    assert await till.exported(other.id) == []


async def test_a_hundred_thousand_unique_codes_are_made_at_once_and_exported_as_a_stream(till: Till) -> None:
    sale = await till.made()
    started = time.monotonic()
    batch = await till.codes(sale.id, count=100_000, prefix="vip-", most_uses=1, request_id="batch")
    assert await till.codes(sale.id, count=100_000, prefix="vip-", most_uses=1, request_id="batch") == batch
    assert time.monotonic() - started < 25, "within the deadline of the call, on a busy machine"
    found = await till.exported(sale.id, batch_id=batch.id)
    assert (len(found), len(set(found)), found) == (100_000, 100_000, sorted(found))
    assert all(code.startswith("VIP-") for code in found)
    assert await till.exported(sale.id, after_code=found[99_997]) == found[99_998:]
