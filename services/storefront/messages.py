"""Pages as messages of the contract, and what the rules need of others' messages."""

from collections.abc import Iterable, Sequence

from services.storefront import domain
from souk.catalog.v1 import product_pb2
from souk.recommendation.v1 import recommendation_pb2
from souk.search.v1 import search_result_pb2
from souk.storefront.v1 import page_pb2


def product(message: product_pb2.Product) -> domain.Product:
    return domain.Product(message.category, [variant.sku for variant in message.variants], message)


def category(message: product_pb2.Category) -> domain.Category:
    return domain.Category(message.slug, message.parent, message)


def found(message: search_result_pb2.SearchResult) -> domain.Found:
    return domain.Found(message.product_id, message)


def together(
    found: Iterable[recommendation_pb2.Recommendation],
) -> Sequence[recommendation_pb2.Recommendation]:
    """Of what is recommended beside a product, that which is bought together with it: no page needs fillers."""
    return [one for one in found if one.reason == recommendation_pb2.Recommendation.BOUGHT_TOGETHER]


def of_home(page: domain.Home) -> page_pb2.HomePage:
    return page_pb2.HomePage(
        featured=page.featured,
        popular=[one.shown for one in page.popular or ()],
        categories=[one.shown for one in page.categories or ()],
        trending=page.trending,
        missing=_of_missing(page.missing),
    )


def of_product_page(page: domain.ProductPage) -> page_pb2.ProductPage:
    return page_pb2.ProductPage(
        product=page.product.shown,
        stock=[_of_stock(one) for one in page.stock or ()],
        price=page.price,
        breadcrumb=[one.shown for one in page.breadcrumb or ()],
        related=[one.shown for one in page.related or ()],
        bought_together=page.bought_together,
        missing=_of_missing(page.missing),
    )


def of_order_page(page: domain.OrderPage) -> page_pb2.OrderPage:
    return page_pb2.OrderPage(
        order=page.order,
        timeline=page.timeline,
        payment=page.payment,
        shipments=page.shipments,
        missing=_of_missing(page.missing),
    )


def _of_stock(stock: domain.InStock) -> page_pb2.VariantStock:
    return page_pb2.VariantStock(
        sku=stock.sku,
        level=page_pb2.VariantStock.Level.Value(stock.level),
        left=stock.available if stock.level is domain.Level.LOW else None,
    )


def _of_missing(missing: Sequence[domain.Missing]) -> Sequence[page_pb2.MissingPart]:
    return [
        page_pb2.MissingPart(part=one.part, reason=page_pb2.MissingPart.Reason.Value(one.reason)) for one in missing
    ]
