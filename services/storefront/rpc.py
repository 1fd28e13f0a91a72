"""The calls of storefront: parse, call the use case, render. Next stop: `usecases.py`."""

from collections.abc import Sequence
from typing import Any

from services.chassis.rpc import server
from services.storefront import domain, messages, usecases
from souk.storefront.v1 import page_pb2, storefront_service_pb2, storefront_service_pb2_grpc

DESCRIPTOR = storefront_service_pb2.DESCRIPTOR.services_by_name["StorefrontService"]
# What is the same for everybody may be kept for a moment by anybody; a page without some of its parts by nobody.
COMPLETE = "public, max-age=2, s-maxage=5"
INCOMPLETE = "no-store"


class StorefrontServicer(storefront_service_pb2_grpc.StorefrontServiceServicer):
    """`souk.storefront.v1.StorefrontService`; what each method promises stands in the contract."""

    def __init__(self, pages: usecases.Pages) -> None:
        self._pages = pages

    async def GetHomePage(
        self,
        request: storefront_service_pb2.GetHomePageRequest,  # noqa: ARG002 - it says nothing
        context: Any,
    ) -> page_pb2.HomePage:
        page = await self._pages.home()
        await _cacheable(context, page.missing)
        return messages.of_home(page)

    async def GetProductPage(
        self, request: storefront_service_pb2.GetProductPageRequest, context: Any
    ) -> page_pb2.ProductPage:
        page = await self._pages.product(request.id.lower(), request.sku)
        await _cacheable(context, page.missing)
        return messages.of_product_page(page)

    async def GetOrderPage(self, request: storefront_service_pb2.GetOrderPageRequest, _: Any) -> page_pb2.OrderPage:
        return messages.of_order_page(await self._pages.order(request.id.lower()))


def servicer(pages: usecases.Pages) -> server.Servicer:
    """The servicer, ready to be served."""
    add = storefront_service_pb2_grpc.add_StorefrontServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, StorefrontServicer(pages))


async def _cacheable(context: Any, missing: Sequence[domain.Missing]) -> None:
    await context.send_initial_metadata((("cache-control", INCOMPLETE if missing else COMPLETE),))
