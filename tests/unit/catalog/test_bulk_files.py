"""How files of products are read, whatever is in them, and that what is written is read as the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.messages import bulk, bulk_files
from services.catalog.messages.bulk_files import Format
from services.chassis import errors, money

SKU = {"sku": "TEA-1"}
TEXTS = st.text(st.characters(codec="utf-8"))


def problems(data: bytes, written: Format) -> list[tuple[int, str, str]]:
    return [(row.line, item.field, item.reason) for row in bulk.read(data, written) for item in row.problems]


def refused(data: bytes, written: Format) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(errors.DomainError) as caught:
        bulk.read(data, written)
    error = caught.value
    return error.reason, [(violation.field, violation.reason) for violation in error.violations]


def csv_fields(*lines: str) -> list[dict[str, Any]]:
    rows = bulk.read("\n".join(lines).encode(), Format.CSV)
    assert not [row.problems for row in rows if row.problems]
    return [{"line": row.line, "sku": row.sku, **row.given} for row in rows]


def test_a_table_may_have_a_byte_order_mark_windows_line_ends_and_quoted_lines() -> None:
    file = '\ufeffsku,description\r\nTEA-1,"two\r\nlines, ""quoted"""\r\n\r\nTEA-2,\r\n'
    first, second = bulk.read(file.encode(), Format.CSV)
    assert (first.line, first.sku, first.given) == (2, "TEA-1", {"description": 'two\r\nlines, "quoted"'})
    assert (second.line, second.sku, second.given) == (5, "TEA-2", {"description": ""})


def test_columns_stand_in_any_order_and_what_cannot_be_empty_is_then_not_said() -> None:
    header = "title,category,price,currency,sku,attributes,images,product"
    assert csv_fields(header, ",,,,TEA-1,,,") == [{"line": 2, "sku": "TEA-1", "attributes": {}, "images": ()}]
    documents = '"{""a"": ""b""}","[""https://example.com/1""]"'
    assert csv_fields(header, f"Tea,drinks,12.5,EUR,TEA-1,{documents},tea") == [
        {
            "line": 2,
            "sku": "TEA-1",
            "title": "Tea",
            "category": "drinks",
            "price": money.Money("EUR", 1250),
            "attributes": {"a": "b"},
            "images": ("https://example.com/1",),
        }
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1+1", "'tis", "''", "'-"])
def test_a_text_that_a_spreadsheet_would_run_is_guarded_and_stays_the_text(cell: str) -> None:
    fields = dict.fromkeys(bulk_files.COLUMNS, "") | SKU | {"title": cell, "attributes": {}, "images": []}
    line = bulk_files.line(fields, Format.CSV)
    assert not line.split(",")[3].startswith(("=", "+", "-", "@"))
    [row] = bulk.read((bulk_files.header(Format.CSV) + line).encode(), Format.CSV)
    assert row.given["title"] == cell


def test_a_formula_without_a_guard_is_a_text_too() -> None:
    assert csv_fields("sku,title", "TEA-1,=1+1")[0]["title"] == "=1+1"


@given(
    st.fixed_dictionaries(
        {
            "title": TEXTS,
            "description": st.text(st.sampled_from("a,;\"'\r\n\t=+-@ \ufeff")),
            "attributes": st.dictionaries(TEXTS, TEXTS),
            "images": st.lists(TEXTS),
        }
    ),
    st.sampled_from(Format),
)
def test_what_is_written_is_read_as_the_same(said: dict[str, Any], written: Format) -> None:
    fields = dict.fromkeys(bulk_files.COLUMNS, "x") | said
    file = bulk_files.header(written) + bulk_files.line(fields, written)
    [row] = bulk_files.rows(file.encode(), written)
    assert (row.fields, row.problems) == (fields, ())


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        (b"", [("file", "COLUMNS_MISSING")]),
        (b'"sku', [("file", "COLUMNS_MISSING")]),
        (b"title", [("sku", "COLUMNS_MISSING")]),
        (b"sku;title", [("sku;title", "COLUMN_UNKNOWN"), ("sku", "COLUMNS_MISSING")]),
        (b"sku,sku", [("sku", "COLUMN_DUPLICATE")]),
        (b"sku,SKU", [("SKU", "COLUMN_UNKNOWN")]),
        (b"sku\nTEA\xff", [("file", "ENCODING_WRONG")]),
        ("sku\nTEA".encode("utf-16"), [("file", "ENCODING_WRONG")]),
    ],
)
def test_what_is_no_table_of_products_is_refused(file: bytes, fields: list[tuple[str, str]]) -> None:
    assert refused(file, Format.CSV) == ("FILE_INVALID", fields)


def test_where_an_encoding_is_wrong_is_told() -> None:
    with pytest.raises(errors.DomainError) as caught:
        bulk.read(b'{"sku": "TEA-1"}\n{"sku": "\xe9"}', Format.JSON_LINES)
    assert caught.value.metadata == {"line": "2"}


def test_too_many_rows_are_refused() -> None:
    file = b'{"sku": "TEA-1"}\n' * (bulk_files.MOST_ROWS + 1)
    assert refused(file, Format.JSON_LINES) == ("FILE_TOO_LARGE", [("file", "FILE_TOO_LARGE")])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TEA-1", ("", "ROW_MALFORMED")),
        ("TEA-1,a,b", ("", "ROW_MALFORMED")),
        ('TEA-1,"a"b', ("", "ROW_MALFORMED")),
        ('TEA-1,"a', ("", "ROW_MALFORMED")),
        (f"TEA-1,{'x' * 140_000}", ("", "ROW_MALFORMED")),
        ("TEA-1,a\0b", ("title", "string.nul")),
        (",a", ("sku", "string.pattern")),
        ("TEA-1,\u202eevil", ("title", "string.line")),
    ],
)
def test_a_wrong_row_of_a_table_is_told_with_its_line(line: str, expected: tuple[str, str]) -> None:
    *_, found = problems(f"sku,title\nTEA-0,Tea\n{line}".encode(), Format.CSV)
    assert found == (3, *expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[]", [("", "ROW_MALFORMED")]),
        ("nonsense", [("", "ROW_MALFORMED")]),
        ("[" * 100_000, [("", "ROW_MALFORMED")]),
        (f'{{"sku": {"9" * 5000}}}', [("", "ROW_MALFORMED")]),
        ('{"sku": "TEA-1", "sku": "TEA-2"}', [("", "ROW_MALFORMED")]),
        ('{"sku": NaN}', [("", "ROW_MALFORMED")]),
        ('{"sku": null}', [("sku", "FIELD_TYPE_WRONG"), ("sku", "string.pattern")]),
        ('{"sku": "TEA-1", "title": "\\ud800"}', [("title", "FIELD_TYPE_WRONG")]),
        ('{"sku": "TEA-1", "images": ["https://example.com/1", 2]}', [("images", "FIELD_TYPE_WRONG")]),
        ('{"sku": "TEA-1", "images": ["no address"]}', [("images[0]", "string.pattern"), ("images[0]", "string.uri")]),
        ('{"sku": "TEA-1", "attributes": {"a": {}}}', [("attributes", "FIELD_TYPE_WRONG")]),
        ('{"sku": "TEA-1", "price": "1"}', [("currency", "FIELD_REQUIRED")]),
        ('{"sku": "TEA-1", "currency": "EUR"}', [("price", "FIELD_REQUIRED")]),
        ('{"sku": "TEA-1", "price": "-1", "currency": "EUR"}', [("price", "string.pattern")]),
        ('{"sku": "TEA-1", "price": "1", "currency": "XXX"}', [("price", "MONEY_INVALID")]),
        ('{"sku": "TEA-1", "price": "99999999999999", "currency": "EUR"}', [("price", "MONEY_INVALID")]),
        ('{"sku": "TEA-1", "variants": []}', [("variants", "COLUMN_UNKNOWN")]),
        (f'{{"sku": "TEA-1", "title": "{"x" * 300_000}"}}', [("", "ROW_TOO_LARGE")]),
    ],
)
def test_a_wrong_line_of_json_is_told(line: str, expected: list[tuple[str, str]]) -> None:
    assert sorted((field, reason) for _, field, reason in problems(line.encode(), Format.JSON_LINES)) == expected


def test_rows_behind_a_wrong_one_are_read() -> None:
    rows = bulk.read(b'nonsense\r\n\r\n{"sku": "TEA-1"}\r\n', Format.JSON_LINES)
    assert [(row.line, row.sku) for row in rows] == [(1, ""), (3, "TEA-1")]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/csv", Format.CSV),
        ('Text/CSV; header=present; charset="UTF-8"', Format.CSV),
        ("application/x-ndjson", Format.JSON_LINES),
        ("application/jsonl", Format.JSON_LINES),
        ("multipart/form-data; boundary=x", None),
        ("", None),
    ],
)
def test_a_content_type_says_how_a_file_is_written(content_type: str, expected: Format | None) -> None:
    assert bulk_files.of_content_type(content_type) is expected


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [("text/csv; charset=iso-8859-1", "CHARSET_UNSUPPORTED"), ("text/csv;" + " " * 200, "FORMAT_UNKNOWN")],
)
def test_another_character_set_and_a_long_content_type_are_refused(content_type: str, reason: str) -> None:
    with pytest.raises(errors.DomainError) as caught:
        bulk_files.of_content_type(content_type)
    assert [violation.reason for violation in caught.value.violations] == [reason]
