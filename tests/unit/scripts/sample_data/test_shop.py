"""The sample shop that every installation starts with."""

import re
from collections import Counter

from scripts.sample_data import shop

SHOP = shop.read()
VENDOR = shop.vendor()
PRODUCTS = (*SHOP.products, *VENDOR.products)
VARIANTS = {variant.sku: variant for product in PRODUCTS for variant in product.variants}


def test_the_shop_has_twelve_categories_and_at_least_240_products_in_all_of_them() -> None:
    assert len(SHOP.categories) == 12
    assert len(SHOP.products) >= 240
    per_category = Counter(product.category for product in SHOP.products)
    assert set(per_category) == {category.slug for category in SHOP.categories}
    assert min(per_category.values()) >= 20


def test_every_sku_is_unique_and_as_the_contract_wants_it() -> None:
    skus = [variant.sku for product in PRODUCTS for variant in product.variants]
    assert len(skus) == len(set(skus))
    assert [sku for sku in skus if not re.fullmatch(r"[A-Z0-9][A-Z0-9-]{1,63}", sku)] == []


def test_every_product_has_a_request_id_of_its_own() -> None:
    assert len({product.request_id for product in PRODUCTS}) == len(PRODUCTS)


def test_every_sku_has_a_price_and_stock_in_both_warehouses() -> None:
    assert all(variant.cents > 0 and set(variant.stock) == {"east", "west"} for variant in VARIANTS.values())


def test_the_skus_that_the_documentation_names_are_there() -> None:
    assert sum(VARIANTS["COFFEE-250G"].stock.values()) == 1_000_000
    assert sum(VARIANTS["LAST-ONE"].stock.values()) == 1
    assert "TEAPOT-BLUE" in VARIANTS


def test_a_vendor_sells_beside_the_shop_on_its_shelves() -> None:
    assert len(VENDOR.products) >= 3
    assert {product.category for product in VENDOR.products} <= {category.slug for category in SHOP.categories}


def test_the_shop_is_the_same_every_time() -> None:
    assert shop.read() == SHOP
    assert VARIANTS["ORGANIC-FILTER-COFFEE"].stock == {"east": 464, "west": 259}
