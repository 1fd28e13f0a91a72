"""The catalog's values and messages of the contract: `of_product` renders a product, `category` parses one."""

from google.type import money_pb2

from services.catalog import domain
from services.catalog.domain import attribute_schemas, images, timeline
from services.chassis import ids
from services.chassis.rpc import render
from souk.catalog.v1 import (
    attribute_schema_pb2,
    catalog_events_pb2,
    catalog_service_pb2,
    image_pb2,
    price_pb2,
    product_pb2,
)
from souk.promotion.v1 import promotion_events_pb2

_PACKAGE = ("grams", "length_mm", "width_mm", "height_mm")


def product_filter(request: catalog_service_pb2.ListProductsRequest) -> domain.Filter:
    low = render.money_sent("min_price", request.min_price) if request.HasField("min_price") else None
    high = render.money_sent("max_price", request.max_price) if request.HasField("max_price") else None
    prices = domain.prices(low, high)
    return domain.Filter(request.category, request.vendor_id.lower(), domain.composed(request.title_prefix), prices)


def category(request: catalog_service_pb2.PutCategoryRequest) -> domain.Category:
    return domain.Category(request.slug, request.title, request.parent)


def asked(variant: product_pb2.Variant) -> domain.Asked:
    field = "regular_price" if variant.HasField("regular_price") else "price"
    price: money_pb2.Money = getattr(variant, field)
    packed = domain.Package(*(getattr(variant.package, name) for name in _PACKAGE))
    return domain.Asked(variant.sku, variant.title, price.currency_code, price.units, price.nanos, field, packed)


def of_product(product: domain.Product) -> product_pb2.Product:
    return product_pb2.Product(
        id=product.id,
        title=product.title,
        description=product.description,
        category=product.category,
        vendor_id=product.vendor_id,
        variants=[of_variant(variant) for variant in product.variants],
        create_time=render.timestamp(product.create_time),
        update_time=render.timestamp(product.update_time),
        version=product.version,
        attributes=product.attributes,
        images=product.images,
        featured=product.featured,
        tax_class=product.tax_class,
        popularity=product.popularity,
        delete_time=render.timestamp(product.delete_time) if product.delete_time else None,
        gallery=[of_image(image) for image in product.gallery],
    )


def of_image(image: domain.Image) -> product_pb2.Image:
    return product_pb2.Image(
        id=image.id, url=image.url, content_type=image.content_type, size_bytes=image.size, alt_text=image.alt_text
    )


def of_form(form: images.Form) -> image_pb2.ImageUpload:
    return image_pb2.ImageUpload(
        image_id=form.upload.image_id,
        url=form.url,
        fields=form.fields,
        expire_time=render.timestamp(form.upload.expire_time),
        most_bytes=form.most_bytes,
    )


def of_variant(variant: domain.Variant) -> product_pb2.Variant:
    said = product_pb2.Variant(sku=variant.sku, title=variant.title, price=render.money_message(variant.charged))
    if variant.package != domain.UNKNOWN:
        said.package.CopyFrom(_of_package(variant.package))
    if variant.reduction:
        said.regular_price.CopyFrom(render.money_message(variant.price))
        if variant.reduction.earlier:
            said.earlier_price.CopyFrom(render.money_message(variant.reduction.earlier))
        if variant.reduction.ends:
            said.promotion_ends.CopyFrom(render.timestamp(variant.reduction.ends))
    return said


def of_period(period: timeline.Period) -> price_pb2.PricePeriod:
    return price_pb2.PricePeriod(
        sku=period.sku,
        price=render.money_message(period.begun.price),
        promotional=period.begun.promotional,
        start_time=render.timestamp(period.begun.time),
        end_time=render.timestamp(period.end_time) if period.end_time else None,
    )


def scheduled(
    message: promotion_events_pb2.PromotionalPriceScheduled | promotion_events_pb2.PromotionalPriceWithdrawn,
) -> timeline.Scheduled:
    told = message.promotional_price
    return timeline.Scheduled(
        id=ids.canonical(told.id),
        product_id=ids.canonical(told.product_id),
        sku=told.sku,
        price=render.money_value(told.price),
        start_time=render.moment(told.start_time),
        end_time=render.moment(told.end_time) if told.HasField("end_time") else None,
        version=told.version,
    )


def of_offer(offer: domain.Offer) -> product_pb2.Offer:
    return product_pb2.Offer(
        sku=offer.sku,
        product_id=offer.product_id,
        title=offer.title,
        price=render.money_message(offer.price),
        tax_class=offer.tax_class,
        category=offer.category,
        vendor_id=offer.vendor_id,
        package=None if offer.package == domain.UNKNOWN else _of_package(offer.package),
    )


def _of_package(package: domain.Package) -> product_pb2.Package:
    return product_pb2.Package(**{name: getattr(package, name) for name in _PACKAGE})


def of_category(category: domain.Category) -> product_pb2.Category:
    return product_pb2.Category(slug=category.slug, title=category.title, parent=category.parent)


def of_schema(schema: attribute_schemas.Schema) -> attribute_schema_pb2.CategorySchema:
    return attribute_schema_pb2.CategorySchema(
        category=schema.category,
        json_schema=schema.text,
        version=schema.version,
        update_time=render.timestamp(schema.update_time),
    )


def of_product_changed(fact: domain.ProductChanged) -> catalog_events_pb2.ProductChanged:
    return catalog_events_pb2.ProductChanged(product_id=fact.product.id, product=of_product(fact.product))


def of_product_deleted(fact: domain.ProductDeleted) -> catalog_events_pb2.ProductDeleted:
    product = fact.product
    return catalog_events_pb2.ProductDeleted(
        product_id=product.id,
        skus=[variant.sku for variant in product.variants],
        version=product.version,
        delete_time=render.timestamp(product.update_time),
    )


def product_id(message: catalog_events_pb2.ProductChanged | catalog_events_pb2.ProductDeleted) -> str:
    return ids.canonical(message.product_id)
