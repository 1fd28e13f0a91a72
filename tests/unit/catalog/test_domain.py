"""Products without I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import domain, store
from services.chassis import errors, money

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def asked(sku: str = "TEA", currency: str = "EUR", units: int = 12, nanos: int = 500_000_000) -> domain.Asked:
    return domain.Asked(sku, "", currency, units, nanos)


def product(*skus: str, vendor_id: str = "") -> domain.Product:
    variants = tuple(domain.Variant(sku, f"Pack {sku}", money.Money("EUR", 1250)) for sku in skus)
    return domain.Product("p", "Tea", "Green", "drinks", vendor_id, variants, NOW, NOW, 1)


def refusal(items: Sequence[domain.Asked]) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(errors.DomainError) as caught:
        domain.variants_of(items)
    assert caught.value.kind is errors.Kind.INVALID_ARGUMENT
    return caught.value.reason, [(violation.field, violation.reason) for violation in caught.value.violations]


def test_variants_keep_their_order_and_their_prices_in_minor_units() -> None:
    variants = domain.variants_of([asked("B"), asked("A", "JPY", 300, 0), asked("C", "KWD", 1, 5_000_000)])
    assert [(v.sku, v.price.currency, v.price.amount) for v in variants] == [
        ("B", "EUR", 1250),
        ("A", "JPY", 300),
        ("C", "KWD", 1005),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        asked(units=0, nanos=0),
        asked(units=-1, nanos=0),
        asked(currency="XXX"),
        asked(currency=""),
        asked(nanos=1),
        asked(units=-1, nanos=500_000_000),
        asked(nanos=10**9),
        asked(currency="JPY"),
        asked(units=10**18, nanos=0),
        asked(units=2**63 - 1, nanos=0),
    ],
)
def test_a_price_is_positive_in_whole_minor_units_of_a_known_currency(wrong: domain.Asked) -> None:
    assert refusal([wrong]) == ("MONEY_INVALID", [("variants[0].price", "MONEY_INVALID")])


def test_a_sku_is_named_once() -> None:
    assert refusal([asked("A"), asked("B"), asked("A")]) == ("REQUEST_INVALID", [("variants[2].sku", "SKU_DUPLICATE")])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert refusal([asked("A", units=-1), asked("A"), asked("B", currency="?")]) == (
        "MONEY_INVALID",
        [
            ("variants[0].price", "MONEY_INVALID"),
            ("variants[2].price", "MONEY_INVALID"),
            ("variants[1].sku", "SKU_DUPLICATE"),
        ],
    )


def test_a_taken_sku_is_named_with_its_field() -> None:
    draft = domain.Draft("Tea", "", "drinks", "", (asked("A"), asked("B"), asked("C")), actor="x")
    error = domain.sku_taken(draft, ["C", "A"])
    assert (error.kind, error.reason, error.metadata) == (errors.Kind.ALREADY_EXISTS, "SKU_TAKEN", {"sku": "A,C"})
    assert [violation.field for violation in error.violations] == ["variants[0].sku", "variants[2].sku"]


def test_the_only_sku_need_not_be_named() -> None:
    assert product("A").sku("") == "A"
    assert product("A", "B").sku("B") == "B"


@pytest.mark.parametrize(("of", "wanted"), [(product("A"), "B"), (product("A", "B"), ""), (product("A"), "a")])
def test_a_sku_of_another_product_is_refused(of: domain.Product, wanted: str) -> None:
    with pytest.raises(errors.DomainError, match="SKU_NOT_IN_PRODUCT") as caught:
        of.sku(wanted)
    assert [violation.field for violation in caught.value.violations] == ["sku"]


def test_a_line_is_called_after_the_product_and_what_tells_the_variant_apart() -> None:
    assert domain.offer_title("Tea", "Large") == "Tea, Large"
    assert domain.offer_title("Tea", "") == "Tea"


@given(st.text(), st.integers(1, 10**15), st.sampled_from(["", "01890000-0000-7000-8000-000000000001"]))
def test_what_is_kept_in_the_cache_comes_back_as_it_was(text: str, price: int, vendor_id: str) -> None:
    variants = (domain.Variant("A", text, money.Money("EUR", price)), domain.Variant("B", "", money.Money("JPY", 1)))
    kept = domain.Product("p", text, text, "drinks", vendor_id, variants, NOW, NOW, 7)
    assert store.unpack_product(store.pack_product(kept)) == kept
    offer = domain.Offer("A", "p", text, money.Money("EUR", price))
    assert store.unpack_offer(store.pack_offer(offer)) == offer
    categories = (domain.Category("a", text), domain.Category("b", "B"))
    assert store.unpack_categories(store.pack_categories(categories)) == categories
