"""What a file of products makes of the products that are there: rules without I/O."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.catalog import domain
from services.catalog.domain import bulk, timeline
from services.chassis import errors, money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB = "01890000-0000-7000-8000-00000000000a", "01890000-0000-7000-8000-00000000000b"
MUG, TEA = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
CREATED, UPDATED, UNCHANGED, REFUSED = bulk.Outcome
EURO = money.Money("EUR", 100)
NEW: Mapping[str, Any] = {"title": "Tea", "category": "drinks", "price": EURO}
SCHEMAS: Mapping[str, Sequence[Any]] = {"drinks": (), "food": ()}


def counting() -> Callable[[datetime], str]:
    numbers = itertools.count(1)
    return lambda _: f"01890000-0000-7000-8000-1{next(numbers):011}"


def importer(owner_id: str | None = None) -> bulk.Importer:
    return bulk.Importer(owner_id, NOW, counting())


def product(product_id: str, *skus: str, **changes: Any) -> domain.Product:
    then = NOW - timedelta(days=1)
    made = domain.Product(
        id=product_id,
        title="Mug",
        description="",
        category="drinks",
        vendor_id="",
        variants=tuple(domain.Variant(sku, "", EURO) for sku in skus),
        create_time=then,
        update_time=then,
        version=3,
    )
    return dataclasses.replace(made, **changes)


def known(*products: domain.Product, withdrawn: Mapping[str, str] | None = None) -> bulk.Known:
    owners = {variant.sku: each.id for each in products for variant in each.variants}
    return bulk.Known({each.id: each for each in products}, owners | dict(withdrawn or {}), SCHEMAS)


def row(line: int, sku: str, product: str = "", **given: Any) -> bulk.Row:
    return bulk.Row(line, sku, product, given)


def problems(plan: bulk.Plan) -> list[tuple[int, str, str]]:
    return [(result.line, item.field, item.reason) for result in plan.results for item in result.problems]


def outcomes(plan: bulk.Plan) -> list[bulk.Outcome]:
    return [result.outcome for result in plan.results]


def test_rows_with_one_word_or_without_any_become_new_products() -> None:
    rows = [row(1, "A", "tea", **NEW), row(2, "B", "tea", price=EURO, variant_title="Large"), row(3, "C", **NEW)]
    plan = bulk.plan(rows, known(), importer(ANN))
    assert [[variant.sku for variant in made.variants] for made in plan.made] == [["A", "B"], ["C"]]
    assert {(made.vendor_id, made.version, made.create_time) for made in plan.made} == {(ANN, 1, NOW)}
    assert (plan.changed, plan.refused, outcomes(plan)) == ((), False, [CREATED] * 3)
    assert [result.product_id == plan.made[0].id for result in plan.results] == [True, True, False]


def test_a_change_of_a_product_is_a_change_of_all_its_rows_and_of_a_variant_of_its_own() -> None:
    mug = product(MUG, "A", "B")
    both = [row(1, "A", MUG, title="Cup"), row(2, "B", MUG)]
    plan = bulk.plan(both, known(mug), importer())
    assert outcomes(plan) == [UPDATED, UPDATED]
    assert [(each.title, each.version, each.update_time) for each in plan.changed] == [("Cup", 4, NOW)]
    one = bulk.plan([row(1, "A", price=EURO), row(2, "B", price=EURO * 2)], known(mug), importer())
    assert outcomes(one) == [UNCHANGED, UPDATED]
    assert [variant.price for variant in one.changed[0].variants] == [EURO, EURO * 2]


def test_variants_stay_in_their_order_and_keep_their_reductions() -> None:
    reduced = domain.Variant("A", "", EURO * 3, timeline.Reduction(EURO))
    mug = product(MUG, variants=(reduced, domain.Variant("B", "", EURO)))
    rows = [row(1, "C", MUG, price=EURO), row(2, "B", variant_title="Large"), row(3, "A")]
    plan = bulk.plan(rows, known(mug), importer())
    assert outcomes(plan) == [CREATED, UPDATED, UNCHANGED]
    assert [variant.sku for variant in plan.changed[0].variants] == ["A", "B", "C"]
    assert plan.changed[0].variants[0] == reduced


def test_a_withdrawn_sku_is_for_sale_again_and_needs_a_price() -> None:
    there = known(product(MUG, "A"), withdrawn={"B": MUG})
    assert outcomes(bulk.plan([row(1, "B", price=EURO)], there, importer())) == [CREATED]
    assert problems(bulk.plan([row(1, "B")], there, importer())) == [(1, "price", "FIELD_REQUIRED")]


def test_rows_of_one_product_must_agree_and_be_of_one() -> None:
    rows = [row(1, "A", "w", **NEW), row(2, "B", "w", **{**NEW, "title": "Coffee"}), row(3, "C", "w", price=EURO)]
    assert problems(bulk.plan(rows, known(), importer())) == [(2, "title", "PRODUCT_MIXED")]
    both = known(product(MUG, "A"), product(TEA, "B"))
    rows = [row(1, "A", "w"), row(2, "B", "w")]
    assert {each[2] for each in problems(bulk.plan(rows, both, importer()))} == {"PRODUCT_MIXED", "SKU_TAKEN"}
    assert problems(bulk.plan([row(1, "B", MUG)], both, importer())) == [(1, "sku", "SKU_TAKEN")]


def test_what_is_wrong_with_a_row_is_not_told_twice() -> None:
    wrong = (errors.Violation("title", "is too long", "string.max_len"), errors.Violation("price", "", "MONEY_INVALID"))
    rows = [bulk.Row(1, "A", "", {"category": "drinks"}, wrong)]
    assert problems(bulk.plan(rows, known(), importer())) == [
        (1, "title", "string.max_len"),
        (1, "price", "MONEY_INVALID"),
    ]


def test_a_product_has_at_most_as_many_skus_as_the_contract_allows() -> None:
    full = product(MUG, *(f"A{number}" for number in range(bulk.MOST_VARIANTS)))
    rows = [row(1, "B", MUG, price=EURO), row(2, "A0")]
    plan = bulk.plan(rows, known(full), importer())
    assert problems(plan) == [(1, "sku", "SKUS_TOO_MANY")]
    assert outcomes(plan) == [REFUSED, UNCHANGED]


def test_a_price_of_a_withdrawn_currency_may_stay_and_not_be_set() -> None:
    lev = money.Money("BGN", 100)
    old = product(MUG, variants=(domain.Variant("A", "", lev),))
    assert outcomes(bulk.plan([row(1, "A", price=lev)], known(old), importer())) == [UNCHANGED]
    assert problems(bulk.plan([row(1, "A", price=lev * 2)], known(old), importer())) == [(1, "price", "MONEY_INVALID")]


def test_a_vendor_sees_their_own_products_alone() -> None:
    there = known(product(MUG, "A", vendor_id=BOB), product(TEA, "B", vendor_id=ANN))
    rows = [row(1, "A", MUG, **NEW), row(2, "C", TEA, price=EURO, vendor_id=ANN), row(3, "D", vendor_id=BOB, **NEW)]
    plan = bulk.plan(rows, there, importer(ANN))
    assert problems(plan) == [(1, "sku", "SKU_TAKEN"), (3, "vendor_id", "VENDOR_FIXED")]
    assert [changed.id for changed in plan.changed] == [TEA]
    stocked = dataclasses.replace(there, stocked=frozenset({"E"}))
    assert problems(bulk.plan([row(1, "E", **NEW)], stocked, importer(ANN))) == [(1, "sku", "SKU_TAKEN")]


def test_a_deleted_product_is_not_found_and_keeps_its_skus() -> None:
    gone = known(product(MUG, "A", delete_time=NOW))
    rows = [row(1, "A", **NEW), row(2, "B", MUG, **NEW)]
    found = problems(bulk.plan(rows, gone, importer()))
    assert found == [(1, "sku", "SKU_TAKEN"), (2, "product", "PRODUCT_NOT_FOUND")]


SKUS = st.sampled_from([f"S{number}" for number in range(8)])
FIELDS = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["Tea", "Mug"]),
        "category": st.sampled_from(["drinks", "food"]),
        "price": st.sampled_from([EURO, EURO * 2]),
    },
    optional={
        "description": st.sampled_from(["", "Good"]),
        "attributes": st.sampled_from([{}, {"a": "b"}]),
        "images": st.sampled_from([(), ("https://example.com/1",)]),
        "variant_title": st.sampled_from(["", "Large"]),
    },
)
ROWS = st.lists(st.tuples(SKUS, st.sampled_from(["", "w", MUG]), FIELDS), max_size=8, unique_by=lambda each: each[0])


@given(ROWS, ROWS)
def test_a_file_that_was_imported_finds_nothing_left_to_change(before: list[Any], after: list[Any]) -> None:
    there, new_ids = known(product(MUG, "S0", "S1")), counting()
    for said in (before, after):
        rows = [row(line, sku, word, **fields) for line, (sku, word, fields) in enumerate(said, start=1)]
        plan = bulk.plan(rows, there, bulk.Importer(None, NOW, new_ids))
        assert len(plan.results) == len(rows)
        if plan.refused:
            continue
        now = {each.id: each for each in (*there.products.values(), *plan.made, *plan.changed)}
        there = known(*now.values())
        again = bulk.plan(rows, there, bulk.Importer(None, NOW, new_ids))
        assert (again.made, again.changed, set(outcomes(again))) == ((), (), {UNCHANGED} if rows else set())
        assert [result.product_id for result in again.results] == [result.product_id for result in plan.results]
