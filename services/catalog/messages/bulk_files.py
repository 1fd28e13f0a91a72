"""Files of products as rows of fields, and back: CSV and JSON Lines. What the fields mean is for `bulk` to say.

A file is text of somebody else: whatever is wrong with its form is told, by row where the next row can still be found. A
spreadsheet takes a cell that begins like a formula for one and runs it, so such texts are exported with an apostrophe in
front, which an import takes off again; without it they are texts all the same.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from services.chassis import errors
from souk.catalog.v1 import bulk_pb2

# As the contract says; no valid row is larger.
MOST_ROWS = 20_000
MOST_ROW_BYTES = 256 * 1024
COLUMNS = tuple(field.name for field in bulk_pb2.ProductRow.DESCRIPTOR.fields)
# Columns whose cells are JSON in CSV, and what an empty cell is.
_DOCUMENTS: Mapping[str, Any] = {"attributes": {}, "images": []}
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_BOM = b"\xef\xbb\xbf"
_MOST_SAID = 60
_MOST_CONTENT_TYPE = 200


class Format(Enum):
    """How a file is written: the content type that exports have."""

    CSV = "text/csv"
    JSON_LINES = "application/jsonl"


_BY_CONTENT_TYPE = {"application/x-ndjson": Format.JSON_LINES} | {item.value: item for item in Format}
_BY_ENUM = {bulk_pb2.CSV: Format.CSV, bulk_pb2.JSON_LINES: Format.JSON_LINES}


@dataclass(frozen=True, slots=True)
class Raw:
    """A row as it stands in a file, from this line on: its fields by name, unchecked, and what is wrong with its form."""

    line: int
    fields: Mapping[str, Any]
    problems: tuple[errors.Violation, ...] = ()


def told(wanted: "bulk_pb2.FileFormat.ValueType") -> Format | None:
    """How a file is written by the contract's word; None when there is none."""
    return _BY_ENUM.get(wanted)


def of_content_type(content_type: str) -> Format | None:
    """How a file of this content type is written; None when it says nothing of that. Raises FILE_INVALID."""
    if len(content_type) > _MOST_CONTENT_TYPE:
        raise refusal("has a content type that is too long", "FORMAT_UNKNOWN")
    kind, _, parameters = content_type.lower().partition(";")
    charset = re.search(r'charset\s*=\s*"?([^\s";]+)', parameters)
    if charset and charset[1] not in ("utf-8", "us-ascii"):
        raise refusal("must be in UTF-8", "CHARSET_UNSUPPORTED")
    return _BY_CONTENT_TYPE.get(kind.strip())


def rows(data: bytes, written: Format) -> Iterator[Raw]:
    """The rows of a file. Raises FILE_INVALID when it is no such file at all, and FILE_TOO_LARGE for too many rows."""
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refusal(f"is not UTF-8 in line {line}", "ENCODING_WRONG", line=str(line)) from error
    found = _csv_rows(text) if written is Format.CSV else _json_rows(text)
    for number, row in enumerate(found):
        if number >= MOST_ROWS:
            said = f"a file has at most {MOST_ROWS} rows"
            raise errors.invalid("FILE_TOO_LARGE", said, errors.Violation("file", said, "FILE_TOO_LARGE"))
        yield row


def refusal(said: str, reason: str, **metadata: str) -> errors.DomainError:
    """The file as a whole is wrong."""
    return errors.invalid("FILE_INVALID", f"the file {said}", errors.Violation("file", said, reason), **metadata)


def header(written: Format) -> str:
    """What an exported file begins with."""
    return _csv_line(COLUMNS) if written is Format.CSV else ""


def line(fields: Mapping[str, Any], written: Format) -> str:
    """A row of an exported file; fields has all columns."""
    if written is Format.JSON_LINES:
        return json.dumps(fields, ensure_ascii=False) + "\n"
    return _csv_line([_cell(fields[name]) for name in COLUMNS])


def _csv_line(cells: Sequence[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return f"'{value}" if _FORMULA.match(value) else value


def _json_rows(text: str) -> Iterator[Raw]:
    for number, row in enumerate(text.split("\n"), start=1):
        if row.strip(" \t\r"):
            yield _json_row(number, row)


def _json_row(number: int, text: str) -> Raw:
    if len(text) > MOST_ROW_BYTES:
        return _too_large(number)
    try:
        document = json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return _malformed(number, "is not a JSON object, or names a field twice")
    if not isinstance(document, dict):
        return _malformed(number, "is not a JSON object")
    unknown = [name for name in document if name not in COLUMNS]
    fields = {name: value for name, value in document.items() if name in COLUMNS}
    return Raw(number, fields, tuple(_unknown(name) for name in unknown))


def _csv_rows(text: str) -> Iterator[Raw]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines = _csv_lines(reader)
    first = next(lines, None)
    if first is None or isinstance(first[1], csv.Error):
        raise refusal("does not begin with the names of its columns", "COLUMNS_MISSING")
    columns = _columns(first[1])
    for number, cells in lines:
        if isinstance(cells, csv.Error):
            yield _malformed(number, f"is not CSV ({cells}); what follows was not read")
        elif cells:
            yield _csv_row(number, columns, cells)


def _csv_lines(reader: Any) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """The lines on which rows begin, and their cells; the first row that is no CSV is the last."""
    begins = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield begins, error
            return
        if cells is None:
            return
        yield begins, cells
        begins = reader.line_num + 1


def _columns(cells: Sequence[str]) -> list[str]:
    """The names of the columns. Raises FILE_INVALID with every wrong one."""
    names = [cell.strip() for cell in cells]
    wrong = [_unknown(name) for name in names if name not in COLUMNS]
    wrong += [
        errors.Violation(name, "there are two such columns", "COLUMN_DUPLICATE")
        for name in sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    ]
    if "sku" not in names:
        wrong.append(errors.Violation("sku", "there is no such column", "COLUMNS_MISSING"))
    if wrong:
        said = "the first line must name columns of the contract, each once, and sku among them"
        raise errors.invalid("FILE_INVALID", said, *wrong[: len(COLUMNS)])
    return names


def _csv_row(number: int, columns: Sequence[str], cells: Sequence[str]) -> Raw:
    if len(cells) != len(columns):
        return _malformed(number, f"has {len(cells)} cells; the first line names {len(columns)} columns")
    if sum(map(len, cells)) > MOST_ROW_BYTES:
        return _too_large(number)
    fields: dict[str, Any] = {}
    problems = []
    for name, cell in zip(columns, cells, strict=True):
        try:
            fields[name] = _value(name, cell)
        except (ValueError, RecursionError):
            problems.append(errors.Violation(name, "is not a JSON document", "FIELD_TYPE_WRONG"))
    return Raw(number, fields, tuple(problems))


def _value(name: str, cell: str) -> Any:
    if name not in _DOCUMENTS:
        return cell[1:] if _GUARDED.match(cell) else cell
    if not cell:
        return _DOCUMENTS[name]
    return json.loads(cell, object_pairs_hook=_without_repetition, parse_constant=_no_number)


def _without_repetition(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    items = list(pairs)
    found = dict(items)
    if len(found) < len(items):
        raise ValueError("a key is named twice")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _malformed(number: int, said: str) -> Raw:
    return Raw(number, {}, (errors.Violation("", said, "ROW_MALFORMED"),))


def _too_large(number: int) -> Raw:
    said = f"has more than {MOST_ROW_BYTES} characters"
    return Raw(number, {}, (errors.Violation("", said, "ROW_TOO_LARGE"),))


def _unknown(name: str) -> errors.Violation:
    shown = name.encode("utf-8", "replace").decode()[:_MOST_SAID]
    return errors.Violation(shown, "is not a column of the contract", "COLUMN_UNKNOWN")
