"""Files of products: what a row asks for, and what an import makes of all rows together. Pure, without any I/O.

`plan` decides about the whole file: which products are made and changed, and what becomes of each row. It looks at a
product's rows together, and asks of the result what the rules of a single product do. What would change nothing is not
judged anew: an exported file can be imported even if a category asks for more since.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from services.catalog import domain
from services.catalog.domain import attribute_schemas
from services.chassis import errors, ids, money

# What the contract allows to a product.
MOST_VARIANTS = 50
MOST_PROBLEMS = 20
# What rows say of their whole product.
OF_PRODUCT = ("title", "description", "category", "vendor_id", "tax_class", "attributes", "images")
_EMPTY: Mapping[str, Any] = {"description": "", "tax_class": "", "attributes": {}, "images": ()}
_REQUIRED = ("title", "category")


class Outcome(Enum):
    """What became of a row, or would become."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


class State(Enum):
    """What became of a file."""

    APPLIED = "APPLIED"
    CHECKED = "CHECKED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read. given are its fields by name, without those that it does not have; price is a Money.

    sku is empty when the row has no valid one. problems are what is wrong with the row by itself.
    """

    line: int
    sku: str
    product: str
    given: Mapping[str, Any]
    problems: tuple[errors.Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row. product_id is empty for a row that was refused, and for a new product that was not made."""

    line: int
    sku: str
    outcome: Outcome
    product_id: str = ""
    problems: tuple[errors.Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file, row by row."""

    state: State
    results: tuple[Result, ...]

    def count(self, outcome: Outcome) -> int:
        """How many rows came out like this."""
        return sum(result.outcome is outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class Known:
    """What the shop has of what a file names.

    products by id, deleted ones too. owners: which product each SKU is or was of. schemas: what products of each category
    must comply with. stocked: SKUs of no product of which the shop has stock.
    """

    products: Mapping[str, domain.Product]
    owners: Mapping[str, str]
    schemas: Mapping[str, Sequence[attribute_schemas.Schema]]
    stocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, and when. owner_id is whose products these must be (None: anybody's)."""

    owner_id: str | None
    now: datetime
    new_id: Callable[[datetime], str]

    def may_change(self, product: domain.Product) -> bool:
        """Whether this product is there for them."""
        return self.owner_id in (None, product.vendor_id)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does: products to make, products to change, as they shall be, and the result of each row."""

    made: tuple[domain.Product, ...]
    changed: tuple[domain.Product, ...]
    results: tuple[Result, ...]

    @property
    def refused(self) -> bool:
        """Whether any row is, so that nothing is done."""
        return any(result.outcome is Outcome.REFUSED for result in self.results)


def skus(rows: Sequence[Row]) -> list[str]:
    """The SKUs that a file names."""
    return list(dict.fromkeys(row.sku for row in rows if row.sku))


def product_ids(rows: Sequence[Row]) -> set[str]:
    """What a file names as products, where it may be an id."""
    return {row.product for row in rows if _is_id(row.product)}


def categories(rows: Sequence[Row], kept: Mapping[str, domain.Product]) -> list[str]:
    """The categories that matter to a file: those that it names, and those of the products that are there."""
    named = [row.given["category"] for row in rows if "category" in row.given]
    return sorted({*named, *(product.category for product in kept.values())})


def _is_id(word: str) -> bool:
    try:
        ids.check(word)
    except ValueError:
        return False
    return True


def plan(rows: Sequence[Row], known: Known, importer: Importer) -> Plan:
    """What these rows do to what is known."""
    return _Planning(rows, known, importer).plan()


@dataclass(frozen=True, slots=True)
class _Group:
    """The rows of one product: as it is now (None: it is new), and as they want it, with its next version if it changes."""

    rows: Sequence[Row]
    present: domain.Product | None
    wanted: domain.Product

    @property
    def changes(self) -> bool:
        return self.wanted != self.present

    def outcome(self, row: Row) -> Outcome:
        """What becomes of a row that is not refused."""
        before = {variant.sku: variant for variant in self.present.variants} if self.present else {}
        if self.present is None or row.sku not in before:
            return Outcome.CREATED
        after = next(variant for variant in self.wanted.variants if variant.sku == row.sku)
        same = dataclasses.replace(self.present, variants=(), update_time=self.wanted.update_time)
        same = dataclasses.replace(same, version=self.wanted.version)
        if after != before[row.sku] or same != dataclasses.replace(self.wanted, variants=()):
            return Outcome.UPDATED
        return Outcome.UNCHANGED


class _Planning:
    """The making of one plan: the problems of each row, by its line, are collected on the way."""

    def __init__(self, rows: Sequence[Row], known: Known, importer: Importer) -> None:
        self._rows = rows
        self._known = known
        self._importer = importer
        self._problems = {row.line: list(row.problems) for row in rows}

    def plan(self) -> Plan:
        groups = [self._group(present, rows) for present, rows in self._by_product(self._without_repetitions())]
        for group in groups:
            if group.changes:
                self._check_category(group)
        outcomes = {row.line: (group.outcome(row), group.wanted.id) for group in groups for row in group.rows}
        return Plan(
            tuple(group.wanted for group in groups if group.present is None),
            tuple(group.wanted for group in groups if group.present and group.changes),
            tuple(self._result(row, outcomes) for row in self._rows),
        )

    def _result(self, row: Row, outcomes: Mapping[int, tuple[Outcome, str]]) -> Result:
        if problems := self._problems[row.line]:
            return Result(row.line, row.sku, Outcome.REFUSED, "", tuple(problems[:MOST_PROBLEMS]))
        return Result(row.line, row.sku, *outcomes[row.line])

    def _refuse(self, row: Row, field: str, said: str, reason: str) -> None:
        self._problems[row.line].append(errors.Violation(field, said, reason))

    def _without_repetitions(self) -> Iterator[Row]:
        """Rows with a SKU that no row before has."""
        first: dict[str, int] = {}
        for row in self._rows:
            if row.sku and first.setdefault(row.sku, row.line) != row.line:
                self._refuse(row, "sku", f"line {first[row.sku]} has the same SKU", "SKU_DUPLICATE")
            elif row.sku:
                yield row

    def _by_product(self, rows: Iterator[Row]) -> Iterator[tuple[domain.Product | None, list[Row]]]:
        """Rows that belong together with the product that they are about; None for a new one."""
        named: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            owner = self._owner(row)
            alone = ("product", owner.id) if owner else ("sku", row.sku)
            named.setdefault(("product", row.product) if row.product else alone, []).append(row)
        found: dict[str, tuple[domain.Product | None, list[Row]]] = {}
        for number, ((_, word), group) in enumerate(named.items()):
            product = self._meant(word, group)
            # Several words may mean one product.
            found.setdefault(product.id if product else str(number), (product, []))[1].extend(group)
        yield from found.values()

    def _meant(self, word: str, group: Sequence[Row]) -> domain.Product | None:
        """The product that these rows mean by this word, or by their SKUs; None for a new one."""
        meant = self._known.products.get(word)
        if meant and self._importer.may_change(meant):
            if not meant.delete_time:
                return meant
            for row in group:
                self._refuse(row, "product", "the product was deleted", "PRODUCT_NOT_FOUND")
            return None
        owners = {owner.id: owner for row in group if (owner := self._owner(row))}
        if len(owners) > 1:
            for row in group:
                self._refuse(row, "product", "rows of this product have SKUs of several products", "PRODUCT_MIXED")
        return next(iter(owners.values()), None)

    def _owner(self, row: Row) -> domain.Product | None:
        """The product that has, or had, a row's SKU, if it can be changed."""
        owner = self._known.products.get(self._known.owners.get(row.sku, ""))
        return owner if owner and self._importer.may_change(owner) and not owner.delete_time else None

    def _group(self, present: domain.Product | None, rows: Sequence[Row]) -> _Group:
        for row in rows:
            owner = self._known.owners.get(row.sku)
            if owner and (present is None or owner != present.id):
                self._refuse(row, "sku", "another product has this SKU", "SKU_TAKEN")
            elif not owner and row.sku in self._known.stocked:
                self._refuse(row, "sku", "the shop has stock of this SKU", "SKU_TAKEN")
        fields = self._of_product(present, rows)
        variants = self._variants(present, rows)
        now = self._importer.now
        if present is None:
            made = domain.Product(
                id=self._importer.new_id(now), variants=variants, create_time=now, update_time=now, version=1, **fields
            )
            return _Group(rows, None, made)
        wanted = dataclasses.replace(present, variants=variants, **fields)
        if wanted != present:
            wanted = dataclasses.replace(wanted, update_time=now, version=present.version + 1)
        return _Group(rows, present, wanted)

    def _of_product(self, present: domain.Product | None, rows: Sequence[Row]) -> dict[str, Any]:
        """What the rows say of their product together: each field as the first of them has it, and all must agree."""
        first: dict[str, Row] = {}
        for row in rows:
            for name in OF_PRODUCT:
                if name in row.given and first.setdefault(name, row).given[name] != row.given[name]:
                    said = f"differs from line {first[name].line}, which is about the same product"
                    self._refuse(row, name, said, "PRODUCT_MIXED")
        fields = {name: row.given[name] for name, row in first.items()}
        vendor_id = present.vendor_id if present else self._importer.owner_id or ""
        if fields.get("vendor_id", vendor_id) != vendor_id:
            said = "is decided when a product is created, by who creates it"
            self._refuse(first["vendor_id"], "vendor_id", said, "VENDOR_FIXED")
        if present:
            return fields | {"vendor_id": vendor_id}
        for name in _REQUIRED:
            if name not in fields and not self._has_problem(rows, name):
                self._refuse(rows[0], name, "is required for a new product", "FIELD_REQUIRED")
        return {"title": "", "category": "", **_EMPTY, **fields, "vendor_id": vendor_id}

    def _variants(self, present: domain.Product | None, rows: Sequence[Row]) -> tuple[domain.Variant, ...]:
        """The variants that the product has in the end: those of before in their order, then new ones in the file's."""
        variants = {variant.sku: variant for variant in present.variants} if present else {}
        for row in rows:
            before = variants.get(row.sku)
            price = row.given.get("price", before.price if before else None)
            if price is None:
                if not self._has_problem([row], "sku", "price", "currency"):
                    self._refuse(row, "price", "is required for a new SKU", "FIELD_REQUIRED")
                continue
            if before is None and len(variants) >= MOST_VARIANTS:
                self._refuse(row, "sku", f"a product has at most {MOST_VARIANTS} SKUs", "SKUS_TOO_MANY")
            if before is None or price != before.price:
                self._check_price(row, price)
            title = row.given.get("variant_title", before.title if before else "")
            kept = (before.reduction, before.package) if before else ()
            variants[row.sku] = domain.Variant(row.sku, title, price, *kept)
        return tuple(variants.values())

    def _check_price(self, row: Row, price: money.Money) -> None:
        try:
            domain.check_price(price)
        except errors.DomainError as error:
            self._refuse(row, "price", error.message, error.reason)

    def _check_category(self, group: _Group) -> None:
        """A product that is new or changes is in a category that exists, and complies with what that asks for."""
        category, first = group.wanted.category, group.rows[0]
        if not category:
            return  # It is missing or wrong, and refused for that.
        if category not in self._known.schemas:
            self._refuse(first, "category", "the category does not exist", "CATEGORY_UNKNOWN")
            return
        if self._has_problem(group.rows, "attributes"):
            return
        found = attribute_schemas.violations(self._known.schemas[category], group.wanted.attributes)
        self._problems[first.line] += dict.fromkeys(found)

    def _has_problem(self, rows: Sequence[Row], *fields: str) -> bool:
        """Whether something is said about one of these fields already."""
        return any(problem.field.partition("[")[0] in fields for row in rows for problem in self._problems[row.line])
