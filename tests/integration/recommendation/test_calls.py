"""The calls of recommendation, on a real gRPC server and a real database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from services.chassis import money
from services.chassis.rpc import render
from services.recommendation import domain, events, messages, rpc, usecases
from souk.catalog.v1 import catalog_events_pb2, product_pb2
from souk.inventory.v1 import inventory_events_pb2, stock_pb2
from souk.order.v1 import order_events_pb2, order_pb2
from souk.recommendation.v1 import recommendation_pb2, recommendation_service_pb2, recommendation_service_pb2_grpc
from tests.integration.recommendation.conftest import Recommendation, basket, product, somebody
from tests.support import calls
from tests.support.hearing import hear

REASON = recommendation_pb2.Recommendation


@pytest_asyncio.fixture
async def served(souk: Recommendation) -> AsyncIterator[calls.Shop]:
    use = usecases.UseCases(souk.recommending, souk.building)
    async with calls.served(rpc.servicer(use), "recommendation") as shop:
        yield shop


def stub(shop: calls.Shop) -> Any:
    return recommendation_service_pb2_grpc.RecommendationServiceStub(shop.channel)


def confirmed(order: domain.Basket) -> order_events_pb2.OrderConfirmed:
    lines = [order_pb2.OrderLine(sku=sku, quantity=1) for sku in order.skus]
    return order_events_pb2.OrderConfirmed(
        order_id=order.order_id, user_id=order.user_id, lines=lines, confirm_time=render.timestamp(order.time)
    )


def changed(told: domain.Product) -> catalog_events_pb2.ProductChanged:
    price = render.money_message(money.Money("EUR", 1000))
    shown = product_pb2.Product(
        id=told.id,
        title=told.title,
        category=told.category,
        variants=[product_pb2.Variant(sku=sku, price=price) for sku in told.skus],
        version=told.version,
        create_time=render.timestamp(told.create_time),
        gallery=[product_pb2.Image(url=f"https://images.test/{told.title}")],
        featured=told.featured,
    )
    return catalog_events_pb2.ProductChanged(product_id=told.id, product=shown)


def stocked(told: domain.Product, available: int = 3) -> inventory_events_pb2.StockLevelChanged:
    level = stock_pb2.StockLevel(sku=told.skus[0], warehouse="east", available=available)
    return inventory_events_pb2.StockLevelChanged(sku=told.skus[0], level=level)


async def test_what_events_tell_is_recommended_by_calls(souk: Recommendation, served: calls.Shop) -> None:
    tea, cup, other, mine = product("Tea"), product("Cup"), product("Other"), somebody()
    subscribers = events.subscribers(souk.learning)
    orders = [basket(tea, cup) for _ in range(4)] + [basket(other) for _ in range(9)] + [basket(tea, by=mine)]
    await hear(souk.db, subscribers, *(changed(each) for each in (tea, cup, other)))
    await hear(souk.db, subscribers, *(stocked(each) for each in (tea, cup, other)))
    await hear(souk.db, subscribers, *map(confirmed, orders))

    request = recommendation_service_pb2.ListRelatedProductsRequest(id=tea.id.upper(), limit=1)
    [found] = (await stub(served).ListRelatedProducts(request)).recommendations
    assert (found.product_id, found.title, found.reason, found.because_of) == (
        cup.id,
        "Cup",
        REASON.BOUGHT_TOGETHER,
        tea.id,
    )
    assert (found.category, found.image, found.price_from.units) == ("cup", "https://images.test/Cup", 10)

    trending = recommendation_service_pb2.ListTrendingProductsRequest(limit=2)
    found = (await stub(served).ListTrendingProducts(trending)).recommendations
    assert [(each.title, each.reason) for each in found] == [("Other", REASON.TRENDING), ("Tea", REASON.TRENDING)]

    mine_asked = recommendation_service_pb2.RecommendRequest()
    found = (await stub(served).Recommend(mine_asked, metadata=served.as_user(mine))).recommendations
    assert [each.title for each in found] == ["Cup", "Other"]
    await hear(souk.db, subscribers, stocked(cup, available=0))
    found = (await stub(served).Recommend(mine_asked, metadata=served.as_user(mine))).recommendations
    assert [each.title for each in found] == ["Other"]
    deleted = catalog_events_pb2.ProductDeleted(product_id=other.id, skus=other.skus, version=2)
    await hear(souk.db, subscribers, deleted)
    assert not (await stub(served).Recommend(mine_asked, metadata=served.as_user(mine))).recommendations


async def test_a_call_for_fewer_gets_fewer_and_what_is_public_may_be_kept_for_a_moment(
    souk: Recommendation, served: calls.Shop
) -> None:
    await souk.sells(*(product(f"P{number}") for number in range(60)))
    for limit, shown in ((0, 12), (3, 3), (1000, 50)):
        request = recommendation_service_pb2.ListTrendingProductsRequest(limit=limit)
        call = stub(served).ListTrendingProducts(request)
        assert len((await call).recommendations) == shown
        headers = dict(await call.initial_metadata())
        assert headers["cache-control"] == rpc.CACHE_CONTROL


async def test_an_administrator_has_the_model_made_anew_and_sees_how_far_it_is(
    souk: Recommendation, served: calls.Shop
) -> None:
    tea, cup = product("Tea"), product("Cup")
    await souk.sells(tea)
    await souk.told(basket(tea), basket(tea, cup))
    admin, request = served.as_user(somebody(), "ADMIN"), recommendation_service_pb2.RebuildModelRequest()
    model = await stub(served).RebuildModel(request, metadata=admin)
    assert (model.state, model.products, model.orders, model.waiting_orders) == (
        recommendation_pb2.Model.REBUILDING,
        1,
        1,
        1,
    )
    again = await stub(served).RebuildModel(request, metadata=admin)
    assert again.since == model.since
    await souk.built()
    asked = recommendation_service_pb2.GetModelRequest()
    model = await stub(served).GetModel(asked, metadata=admin)
    assert (model.state, model.orders, model.waiting_orders) == (recommendation_pb2.Model.READY, 1, 1)


async def test_nobody_is_recommended_anything_of_their_own_without_signing_in(served: calls.Shop) -> None:
    refused = await calls.refused(stub(served).Recommend(recommendation_service_pb2.RecommendRequest()))
    assert refused.reason == "TOKEN_MISSING"


def test_an_order_without_lines_does_not_concern_it() -> None:
    assert messages.basket(order_events_pb2.OrderConfirmed()) is None
