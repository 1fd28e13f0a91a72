"""The rules of pages."""

import pytest

from services.chassis import errors
from services.storefront import domain


def category(slug: str, parent: str = "") -> domain.Category:
    return domain.Category(slug, parent, slug.title())


def slugs(found: object) -> list[str]:
    return [one.slug for one in found]  # type: ignore[attr-defined]


def test_a_breadcrumb_leads_from_the_top_to_the_products_category() -> None:
    tree = [category("home"), category("kitchen", "home"), category("pans", "kitchen"), category("garden")]
    assert slugs(domain.breadcrumb("pans", tree)) == ["home", "kitchen", "pans"]
    assert slugs(domain.breadcrumb("garden", tree)) == ["garden"]


def test_a_breadcrumb_has_what_is_known_and_ends_also_in_a_circle() -> None:
    assert slugs(domain.breadcrumb("new", [category("old")])) == []
    assert slugs(domain.breadcrumb("pans", [category("pans", "unknown")])) == ["pans"]
    assert slugs(domain.breadcrumb("a", [category("a", "b"), category("b", "a")])) == ["b", "a"]


@pytest.mark.parametrize(
    ("available", "level"),
    [(-1, "OUT"), (0, "OUT"), (1, "LOW"), (5, "LOW"), (6, "AVAILABLE"), (10**9, "AVAILABLE")],
)
def test_few_units_are_low_and_none_are_out(available: int, level: str) -> None:
    assert domain.level(available, low=5) == level


def test_a_threshold_of_zero_never_says_low() -> None:
    assert domain.level(1, low=0) is domain.Level.AVAILABLE


def test_stock_follows_the_order_of_the_variants_and_what_inventory_does_not_know_is_out() -> None:
    found = domain.in_stock(["B", "A", "C"], {"A": 3, "B": 9}, low=5)
    assert [(one.sku, str(one.level)) for one in found] == [("B", "AVAILABLE"), ("A", "LOW"), ("C", "OUT")]


def test_a_product_is_not_related_to_itself() -> None:
    found = [domain.Found(str(number), None) for number in range(domain.MOST_RELATED + 1)]
    assert [one.product_id for one in domain.related("3", found)] == ["0", "1", "2", "4", "5", "6", "7", "8"]
    assert len(domain.related("none of them", found)) == domain.MOST_RELATED


def test_the_variant_that_is_selected_is_one_of_the_product() -> None:
    product = domain.Product("pans", ["SMALL", "LARGE"], None)
    assert [product.selected(sku) for sku in ("LARGE", "", "REMOVED")] == ["LARGE", "SMALL", "SMALL"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "DEADLINE_EXCEEDED"),
        (errors.TransientError("refused"), "UNAVAILABLE"),
        (errors.DomainError(errors.Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", ""), "UNAVAILABLE"),
        (errors.DomainError(errors.Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", ""), "DEADLINE_EXCEEDED"),
        (errors.DomainError(errors.Code.INTERNAL, "INTERNAL", ""), "FAILED"),
        (errors.overloaded(), "FAILED"),
        (KeyError("a defect"), "FAILED"),
    ],
)
def test_a_reason_says_whether_a_service_is_away_late_or_answers_with_an_error(error: Exception, reason: str) -> None:
    assert domain.reason(error) == reason
