"""Products without I/O."""

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import domain
from services.catalog.store import cached
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
    assert caught.value.code is errors.Code.INVALID_ARGUMENT
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
        asked(currency="BGN"),
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
    assert (error.code, error.reason, error.metadata) == (errors.Code.ALREADY_EXISTS, "SKU_TAKEN", {"sku": "A,C"})
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
    packed = domain.Package(grams=250, length_mm=100, height_mm=60)
    plain = domain.Variant("B", "", money.Money("JPY", 1))
    variants = (domain.Variant("A", text, money.Money("EUR", price), package=packed), plain)
    said, seen = {"material": text}, (text, "https://example.com/a.png")
    kept = domain.Product(
        "p", text, text, "drinks", vendor_id, variants, NOW, NOW, 7, said, seen, featured=True, tax_class="food"
    )
    assert cached.unpack_product(cached.pack_product(kept)) == kept
    offer = domain.Offer("A", "p", text, money.Money("EUR", price), "drinks", vendor_id, text, packed)
    assert cached.unpack_offer(cached.pack_offer(offer)) == offer
    categories = (domain.Category("a", text), domain.Category("b", "B", "a"))
    assert cached.unpack_categories(cached.pack_categories(categories)) == categories


def content(**changes: Any) -> domain.Draft:
    draft = domain.Draft("Coffee", "Black", "hot", "", (asked("B"),), "ann", attributes={"roast": "dark"})
    return dataclasses.replace(draft, **changes)


def test_a_revision_changes_what_can_be_said_and_nothing_else() -> None:
    before = dataclasses.replace(product("A", vendor_id="v"), featured=True, attributes={"old": "yes"}, images=("i",))
    after = domain.revised(before, content(images=("j",)), NOW + timedelta(1))
    assert (after.id, after.vendor_id, after.create_time, after.featured) == ("p", "v", NOW, True)
    assert (after.title, after.description, after.category) == ("Coffee", "Black", "hot")
    assert (after.attributes, after.images, after.variants[0].sku) == ({"roast": "dark"}, ("j",), "B")
    assert (after.version, after.update_time) == (2, NOW + timedelta(1))


def test_an_edit_that_comes_again_finds_what_it_made_and_another_does_not() -> None:
    edit = domain.Edit("p", 1, content(), None)
    made = domain.revised(product("A"), edit.content, NOW)
    again = domain.revised(made, edit.content, NOW + timedelta(1))
    assert domain.is_repetition(made, edit, again)
    other = dataclasses.replace(edit, content=content(title="Tea"))
    assert not domain.is_repetition(made, other, domain.revised(made, other.content, NOW))
    later = dataclasses.replace(made, version=3)
    assert not domain.is_repetition(later, edit, domain.revised(later, edit.content, NOW))


def test_a_range_of_prices_may_be_open_at_each_end() -> None:
    low, high = money.Money("EUR", 100), money.Money("EUR", 900)
    assert domain.prices(None, None) is None
    assert domain.prices(low, high) == domain.Prices("EUR", 100, 900)
    assert domain.prices(low, low) == domain.Prices("EUR", 100, 100)
    assert domain.prices(low, None) == domain.Prices("EUR", 100, 2**63 - 1)
    assert domain.prices(None, high) == domain.Prices("EUR", 0, 900)


@pytest.mark.parametrize("high", [money.Money("EUR", 99), money.Money("USD", 900)])
def test_a_range_of_prices_that_holds_nothing_is_refused(high: money.Money) -> None:
    with pytest.raises(errors.DomainError, match="PRICE_RANGE_INVALID"):
        domain.prices(money.Money("EUR", 100), high)


def shelf(*path: str) -> list[domain.Category]:
    """Categories each below the one before."""
    return [domain.Category(slug, slug, above) for above, slug in itertools.pairwise(["", *path])]


def refused_place(known: Sequence[domain.Category], slug: str, parent: str) -> str:
    with pytest.raises(errors.DomainError) as caught:
        domain.check_place(known, domain.Category(slug, slug, parent))
    assert caught.value.code is errors.Code.FAILED_PRECONDITION
    return caught.value.reason


def test_a_category_holds_itself_and_what_is_below_it() -> None:
    known = [*shelf("a", "b", "c"), domain.Category("d", "D", "b"), domain.Category("e", "E")]
    assert set(domain.subtree(known, "b")) == {"b", "c", "d"}
    assert domain.subtree(known, "e") == ("e",)
    assert domain.subtree(known, "none") == ()


def test_a_category_is_never_below_itself() -> None:
    known = shelf("a", "b", "c")
    for parent in ("a", "b", "c"):
        assert refused_place(known, "a", parent) == "CATEGORY_CYCLE"
    assert refused_place([], "new", "new") == "CATEGORY_CYCLE"
    assert refused_place(known, "a", "none") == "CATEGORY_PARENT_UNKNOWN"


def test_a_category_is_at_most_8_deep_with_all_that_is_below_it() -> None:
    deep = shelf(*"abcdefgh")
    assert refused_place(deep, "i", "h") == "CATEGORY_TOO_DEEP"
    domain.check_place(deep, domain.Category("i", "I", "g"))
    known = [*shelf(*"abcdef"), *shelf("x", "y", "z")]
    assert refused_place(known, "x", "f") == "CATEGORY_TOO_DEEP"
    domain.check_place(known, domain.Category("x", "X", "e"))


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["", *"abcdefghij"])), max_size=40))
def test_however_categories_are_put_they_stay_a_tree(puts: list[tuple[str, str]]) -> None:
    tree: dict[str, domain.Category] = {}
    for slug, parent in puts:
        category = domain.Category(slug, slug, parent)
        try:
            domain.check_place(list(tree.values()), category)
        except errors.DomainError:
            continue
        tree[slug] = category
    known = list(tree.values())
    below_the_top = [slug for top in known if not top.parent for slug in domain.subtree(known, top.slug)]
    assert sorted(below_the_top) == sorted(tree)
    assert all(domain.height(known, top.slug) <= domain.DEEPEST for top in known if not top.parent)
