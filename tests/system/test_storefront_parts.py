"""A storefront one of whose peers is stopped or silent: what it shows of the rest, asked of the real services."""

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import grpc
import pytest

from services import registry
from services.chassis import assembly, clock, errors
from services.chassis.rpc import status
from services.storefront import main
from souk.storefront.v1 import page_pb2, storefront_service_pb2, storefront_service_pb2_grpc
from tests.support import ports, shop

# Long enough for real services on a busy machine, and all that a page waits for a silent one.
PAGE_S = 1.5
STOPPED, SILENT = "UNAVAILABLE", "DEADLINE_EXCEEDED"
# Which part of which page comes from the service at which address.
BESIDE_A_PRODUCT = {
    "stock": "INVENTORY_ADDR",
    "price": "PROMOTION_ADDR",
    "related": "SEARCH_ADDR",
    "bought_together": "RECOMMENDATION_ADDR",
}
OF_THE_SHOP = {
    ("featured", "categories"): "CATALOG_ADDR",
    ("popular",): "SEARCH_ADDR",
    ("trending",): "RECOMMENDATION_ADDR",
}

OF_AN_ORDER = {"payment": "PAYMENT_ADDR", "shipments": "SHIPPING_ADDR"}


@contextlib.contextmanager
def instead(how: str) -> Iterator[str]:
    """The address of a service that is stopped (nobody listens), or silent (whoever accepts calls never answers)."""
    with socket.socket() as server:
        # A port that is held but not listened at refuses connections, and nobody else can take it meanwhile.
        server.bind(("127.0.0.1", 0))
        if how == SILENT:
            server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


class Storefront:
    """A storefront, called by persons. What is refused is raised as a DomainError or a TransientError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = storefront_service_pb2_grpc.StorefrontServiceStub(channel)

    async def home(self) -> page_pb2.HomePage:
        answer: page_pb2.HomePage = await self._stub.GetHomePage(storefront_service_pb2.GetHomePageRequest())
        return answer

    async def product(self, product_id: str) -> page_pb2.ProductPage:
        request = storefront_service_pb2.GetProductPageRequest(id=product_id)
        answer: page_pb2.ProductPage = await self._stub.GetProductPage(request)
        return answer

    async def order(self, order_id: str, person: shop.Person) -> page_pb2.OrderPage:
        request = storefront_service_pb2.GetOrderPageRequest(id=order_id)
        metadata = (("authorization", f"Bearer {person.token}"),)
        answer: page_pb2.OrderPage = await self._stub.GetOrderPage(request, metadata=metadata)
        return answer


@asynccontextmanager
async def opened(environment: Mapping[str, str], **others: str) -> AsyncIterator[Storefront]:
    """A storefront of its own beside the running stack, some of whose peers are elsewhere."""
    environ = {**environment, "STOREFRONT_LISTEN": ports.free_address(), "STOREFRONT_PAGE_S": str(PAGE_S), **others}
    host = assembly.Host(environ, assembly.SERVE, "tests", clock.utc_now, registry.load().services)
    async with contextlib.AsyncExitStack() as stack:
        for part in main.build(host):
            await part.start()
            stack.push_async_callback(part.stop)
        yield Storefront(await stack.enter_async_context(grpc.aio.insecure_channel(environ["STOREFRONT_LISTEN"])))


def missing(page: page_pb2.HomePage | page_pb2.ProductPage | page_pb2.OrderPage) -> dict[str, str]:
    """The parts that are left out, with their reasons."""
    return {part.part: page_pb2.MissingPart.Reason.Name(part.reason) for part in page.missing}


@pytest.mark.parametrize("how", [STOPPED, SILENT])
@pytest.mark.parametrize("part", BESIDE_A_PRODUCT)
async def test_a_product_page_names_the_part_that_did_not_come_and_shows_the_others(
    market: shop.Shop, environment: Mapping[str, str], how: str, part: str
) -> None:
    tea = await market.product(stock=9)
    with instead(how) as address:
        async with opened(environment, **{BESIDE_A_PRODUCT[part]: address}) as storefront:
            page = await storefront.product(tea.id)
    assert missing(page) == {part: how}
    assert page.product.id == tea.id
    shown = {"stock": len(page.stock), "price": page.HasField("price"), "breadcrumb": len(page.breadcrumb)}
    assert {name for name, there in shown.items() if not there} <= {part}


@pytest.mark.parametrize("how", [STOPPED, SILENT])
async def test_without_the_catalog_there_is_no_product_page(
    market: shop.Shop, environment: Mapping[str, str], how: str
) -> None:
    tea = await market.product()
    with instead(how) as address:
        async with opened(environment, CATALOG_ADDR=address) as storefront:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await storefront.product(tea.id)
    error = status.parse(raised.value)
    assert isinstance(error, errors.DomainError)
    assert error.code.name == how


@pytest.mark.parametrize("how", [STOPPED, SILENT])
@pytest.mark.parametrize("parts", OF_THE_SHOP)
async def test_the_home_page_is_shown_without_what_did_not_come(
    environment: Mapping[str, str], how: str, parts: tuple[str, ...]
) -> None:
    with instead(how) as elsewhere:
        async with opened(environment, **{OF_THE_SHOP[parts]: elsewhere}) as storefront:
            page = await storefront.home()
    assert missing(page) == dict.fromkeys(parts, how)


@pytest.mark.parametrize("how", [STOPPED, SILENT])
@pytest.mark.parametrize(("part", "of"), OF_AN_ORDER.items())
async def test_the_page_of_an_order_is_shown_without_one_of_its_parts_and_not_without_the_order(
    market: shop.Shop, environment: Mapping[str, str], how: str, part: str, of: str
) -> None:
    customer, tea = await market.customer(), await market.product()
    placed = await customer.place(shop.basket((tea, 1)))
    with instead(how) as address:
        async with opened(environment, **{of: address}) as storefront:
            page = await storefront.order(placed["id"], customer)
            assert (page.order.id, missing(page)) == (placed["id"], {part: how})
            assert next(event.event for event in page.timeline) == "OrderPlaced"
        async with opened(environment, ORDER_ADDR=address) as storefront:
            with pytest.raises(grpc.aio.AioRpcError):
                await storefront.order(placed["id"], customer)
