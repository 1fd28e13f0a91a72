"""Rows of files as domain values, by the rules of the contract, and back; and reports of imports as messages.

`read` takes as long as its file is large: it is pure, and belongs on a thread.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from google.api import httpbody_pb2

from services.catalog import domain
from services.catalog.domain import bulk
from services.catalog.messages import bulk_files
from services.chassis import errors, ids, money
from services.chassis.rpc import requests
from souk.catalog.v1 import bulk_pb2

ROWS_AT_ONCE = 200
# Characters of a piece of an exported file: it ends with a product, and with a row when the product is very large.
LARGE_PIECE = 128 * 1024
MOST_PIECE = 512 * 1024
_UUID_LENGTH = 36
# What cannot be empty: without a text the row does not say anything about it.
_NEVER_EMPTY = tuple(field.name for field in bulk_pb2.ProductRow.DESCRIPTOR.fields if field.has_presence)
_OUTCOMES = {
    bulk.Outcome.CREATED: bulk_pb2.ImportProductsResponse.Row.CREATED,
    bulk.Outcome.UPDATED: bulk_pb2.ImportProductsResponse.Row.UPDATED,
    bulk.Outcome.UNCHANGED: bulk_pb2.ImportProductsResponse.Row.UNCHANGED,
    bulk.Outcome.REFUSED: bulk_pb2.ImportProductsResponse.Row.ROW_REFUSED,
}


def file_format(first: bulk_pb2.ImportProductsRequest) -> bulk_files.Format:
    """How the file is written that begins like this: as is said, or else by its content type. Raises FILE_INVALID."""
    by_type = bulk_files.of_content_type(first.file.content_type)
    found = bulk_files.told(first.format) or by_type
    if found is None:
        said = "must have the content type text/csv or application/jsonl, or say its format"
        raise bulk_files.refusal(said, "FORMAT_UNKNOWN")
    return found


def export_format(request: bulk_pb2.ExportProductsRequest) -> bulk_files.Format:
    """How a file is to be written."""
    return bulk_files.told(request.format) or bulk_files.Format.CSV


def read(data: bytes, written: bulk_files.Format) -> tuple[bulk.Row, ...]:
    """The rows of a file, each with what is wrong with it by itself. Raises FILE_INVALID or FILE_TOO_LARGE."""
    return tuple(_row(raw) for raw in bulk_files.rows(data, written))


def exported(
    products: Iterable[domain.Product], written: bulk_files.Format
) -> Iterator[bulk_pb2.ExportProductsResponse]:
    """Products as pieces of a file, none of them much larger than it must be."""
    text, last = "", ""
    for product in products:
        for line in _lines(product, written):
            text += line
            if len(text) > MOST_PIECE:
                yield _piece(text, written, last)
                text = ""
        last = product.id
        if len(text) > LARGE_PIECE:
            yield _piece(text, written, last)
            text = ""
    if text:
        yield _piece(text, written, last)


def header(written: bulk_files.Format) -> bulk_pb2.ExportProductsResponse:
    """What an exported file begins with. Without it nobody would know how an empty one is written."""
    return _piece(bulk_files.header(written), written, "")


def _lines(product: domain.Product, written: bulk_files.Format) -> Iterator[str]:
    shared = {name: getattr(product, name) for name in bulk.OF_PRODUCT}
    shared |= {"product": product.id, "attributes": dict(product.attributes), "images": list(product.images)}
    for variant in product.variants:
        price = {"price": variant.price.decimal, "currency": variant.price.currency}
        fields = {**shared, **price, "sku": variant.sku, "variant_title": variant.title}
        yield bulk_files.line({name: fields[name] for name in bulk_files.COLUMNS}, written)


def _piece(text: str, written: bulk_files.Format, product_id: str) -> bulk_pb2.ExportProductsResponse:
    body = httpbody_pb2.HttpBody(content_type=f"{written.value}; charset=utf-8", data=text.encode())
    return bulk_pb2.ExportProductsResponse(file=body, product_id=product_id)


def of_report(report: bulk.Report) -> Iterator[bulk_pb2.ImportProductsResponse]:
    """A report: its summary, and then its rows."""
    yield bulk_pb2.ImportProductsResponse(
        summary=bulk_pb2.ImportProductsResponse.Summary(
            state=bulk_pb2.ImportProductsResponse.State.Value(report.state.value),
            rows=len(report.results),
            created=report.count(bulk.Outcome.CREATED),
            updated=report.count(bulk.Outcome.UPDATED),
            unchanged=report.count(bulk.Outcome.UNCHANGED),
            refused=report.count(bulk.Outcome.REFUSED),
        )
    )
    results = iter(report.results)
    while some := list(islice(results, ROWS_AT_ONCE)):
        yield bulk_pb2.ImportProductsResponse(rows=[_of_result(result) for result in some])


def _of_result(result: bulk.Result) -> bulk_pb2.ImportProductsResponse.Row:
    problem = bulk_pb2.ImportProductsResponse.Row.Problem
    return bulk_pb2.ImportProductsResponse.Row(
        line=result.line,
        sku=result.sku,
        outcome=_OUTCOMES[result.outcome],
        product_id=result.product_id,
        problems=[problem(field=item.field, reason=item.reason, message=item.description) for item in result.problems],
    )


def _row(raw: bulk_files.Raw) -> bulk.Row:
    problems = list(raw.problems)
    fields: dict[str, Any] = {}
    for name, value in raw.fields.items():
        if said := _wrong_type(name, value):
            problems.append(errors.Violation(name, said, "FIELD_TYPE_WRONG"))
        elif value or name not in _NEVER_EMPTY:
            fields[name] = value
    if not raw.fields and problems:
        return bulk.Row(raw.line, "", "", {}, tuple(problems))
    problems += _broken_rules(bulk_pb2.ProductRow(**fields))
    wrong = {problem.field.partition("[")[0] for problem in problems}
    good = {name: value for name, value in fields.items() if name not in wrong}
    sku, product = good.pop("sku", ""), _canonical(good.pop("product", ""))
    price, violations = _price(good, wrong)
    given = _given(good) | ({"price": price} if price else {})
    return bulk.Row(raw.line, sku, product, given, (*problems, *violations))


def _wrong_type(name: str, value: Any) -> str:
    """What is wrong with a value that is not of its field's type, or holds what is no text."""
    texts = [value]
    if name == "attributes":
        texts = [*value, *value.values()] if isinstance(value, dict) else [None]
    elif name == "images":
        texts = value if isinstance(value, list) else [None]
    if not all(isinstance(text, str) for text in texts):
        kinds = {"attributes": "an object of texts", "images": "a list of texts"}
        return f"must be {kinds.get(name, 'a text')}"
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return "must be text: it contains half of a surrogate pair"
    return ""


def _broken_rules(row: bulk_pb2.ProductRow) -> tuple[errors.Violation, ...]:
    try:
        requests.validate(row, row.SerializeToString())
    except errors.DomainError as error:
        return error.violations
    return ()


def _given(good: Mapping[str, Any]) -> dict[str, Any]:
    """The valid fields of a row as the domain has them, without its price."""
    given = {name: value for name, value in good.items() if name not in ("price", "currency")}
    if "title" in given:
        given["title"] = domain.composed(given["title"])
    if "vendor_id" in given:
        given["vendor_id"] = given["vendor_id"].lower()
    if "images" in given:
        given["images"] = tuple(given["images"])
    return given


def _price(good: Mapping[str, Any], wrong: set[str]) -> tuple[money.Money | None, tuple[errors.Violation, ...]]:
    """The price that a row says, if it says one, and what is wrong with it."""
    missing = [name for name in ("price", "currency") if name not in good]
    if missing:
        half = len(missing) == 1 and missing[0] not in wrong
        said = errors.Violation(missing[0], "price and currency belong together", "FIELD_REQUIRED")
        return None, (said,) if half else ()
    units, _, fraction = good["price"].partition(".")
    try:
        return money.from_units(good["currency"], int(units), int(fraction.ljust(9, "0"))), ()
    except errors.DomainError as error:
        return None, (errors.Violation("price", error.message, error.reason),)


def _canonical(word: str) -> str:
    """A product's id as it is kept; another word as it is."""
    try:
        return ids.canonical(word) if len(word) == _UUID_LENGTH else word
    except ValueError:
        return word
