"""What the products of a category must say of themselves: rules for JSON Schemas and for attributes, without any I/O.

A category may have a schema: JSON Schema 2020-12, of which `LANGUAGE` is the part that is taken. It speaks of texts,
numbers and yes or no; it refers to nothing and nests nothing, so what checking costs is bounded by its size. Patterns are
those of a regular-expression engine that takes linear time (RE2's syntax: no look-around, no back references).

A product complies with the schemas of its category and of every category above: one further down adds rules, and takes none
away. With `additionalProperties: false` in any of them only attributes are allowed that one of them names.

An attribute is a text. Where a schema says `integer`, `number` or `boolean` the text is read as that before it is checked:
`16`, `-1.5`, `true`.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import jsonschema_rs

from services.chassis import errors

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# No schema: every attribute is allowed.
NOTHING = "{}"
# How deep a document may nest before it is looked at: deeper than any schema of the language.
DEEPEST = 6
# So many violations are told.
MOST_VIOLATIONS = 20
_MOST_SAID = 300
# Bytes of a compiled pattern.
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=256 * 1024)
_BOUND = {"type": "number", "minimum": -1e15, "maximum": 1e15}
_LENGTH = {"type": "integer", "minimum": 0, "maximum": 200}
_ALWAYS = ["type", "title", "description", "enum", "const"]
_RANGE = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
_KEYWORDS = {
    "string": [*_ALWAYS, "minLength", "maxLength", "pattern"],
    "integer": [*_ALWAYS, *_RANGE],
    "number": [*_ALWAYS, *_RANGE],
    "boolean": _ALWAYS,
}
_NAME = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
_ATTRIBUTE = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": list(_KEYWORDS)},
        "title": {"type": "string", "maxLength": 200},
        "description": {"type": "string", "maxLength": 1000},
        "enum": {"type": "array", "minItems": 1, "maxItems": 100, "uniqueItems": True},
        **dict.fromkeys(_RANGE[:4], _BOUND),
        "multipleOf": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e15},
        **dict.fromkeys(("minLength", "maxLength"), _LENGTH),
        "pattern": {"type": "string", "maxLength": 200},
    },
    "allOf": [
        {
            "if": {"properties": {"type": {"const": kind}}},
            "then": {
                "propertyNames": {"enum": keywords},
                "properties": {"enum": {"items": {"type": kind}}, "const": {"type": kind}},
            },
        }
        for kind, keywords in _KEYWORDS.items()
    ],
}
# The part of JSON Schema that is taken, as a JSON Schema.
LANGUAGE: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "$schema": {"const": DIALECT},
        "title": {"type": "string", "maxLength": 200},
        "description": {"type": "string", "maxLength": 1000},
        "type": {"const": "object"},
        "properties": {
            "type": "object",
            "maxProperties": 50,
            "propertyNames": _NAME,
            "additionalProperties": _ATTRIBUTE,
        },
        "required": {"type": "array", "maxItems": 50, "uniqueItems": True, "items": _NAME},
        "additionalProperties": {"type": "boolean"},
    },
    "additionalProperties": False,
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")
_TRUTHS = {"true": True, "false": False}
_REASONS = {"required": "ATTRIBUTE_REQUIRED", "type": "ATTRIBUTE_TYPE_WRONG"}


@dataclass(frozen=True, slots=True)
class Schema:
    """A version of a category's schema, as JSON text. Version 0 is that of a category that never had one."""

    category: str
    text: str
    version: int
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schema as an administrator wants it, who read this version. actor is who."""

    category: str
    text: str
    version: int
    actor: str


class _RefusedError(ValueError):
    """A document that is no schema, whatever it says."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A schema made ready: what checks, the type of each attribute that it names, and whether it allows no others."""

    validator: Any
    types: Mapping[str, str]
    closed: bool


def check_schema(text: str) -> None:
    """Raise ATTRIBUTE_SCHEMA_INVALID, with what is wrong and where, unless this is a schema that is taken."""
    try:
        document = _document(text)
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, _RefusedError) else "is not a JSON document"
        raise _schema_invalid([errors.Violation("json_schema", said, "ATTRIBUTE_SCHEMA_INVALID")]) from error
    found = [_of_schema(error) for error in _language().iter_errors(document)]
    if found:
        raise _schema_invalid(found)
    try:
        _compiled(text)
    except jsonschema_rs.ValidationError as error:
        path = _path(["json_schema", *error.schema_path, *error.instance_path])
        said = "contains a pattern that is no regular expression of RE2's syntax, or too large a one"
        raise _schema_invalid([errors.Violation(path, said, "ATTRIBUTE_SCHEMA_INVALID")]) from error


def check(schemas: Sequence[Schema], attributes: Mapping[str, str]) -> None:
    """Raise ATTRIBUTES_INVALID, with a violation for each attribute, unless they comply with all of the schemas."""
    found = list(dict.fromkeys(violations(schemas, attributes)))
    if not found:
        return
    said = f"{len(found)} attribute(s) break rules of the category"
    counted = {errors.VIOLATIONS: str(len(found))}
    raise errors.invalid("ATTRIBUTES_INVALID", said, *found[:MOST_VIOLATIONS], **counted)


def violations(schemas: Sequence[Schema], attributes: Mapping[str, str]) -> Iterator[errors.Violation]:
    """What is wrong with attributes by these schemas, which are those of a category and of all above it."""
    compiled = [_compiled(schema.text) for schema in schemas]
    for rules in compiled:
        read = {name: _read(text, rules.types.get(name, "string")) for name, text in attributes.items()}
        yield from map(_of_attribute, rules.validator.iter_errors(read))
    if any(rules.closed for rules in compiled):
        named = {name for rules in compiled for name in rules.types}
        for name in attributes:
            if name not in named:
                yield errors.Violation(
                    f"attributes[{name}]", "is not an attribute of the category", "ATTRIBUTE_UNKNOWN"
                )


def is_repetition(present: Schema, wanted: Wanted) -> bool:
    """Whether the schema is what this request made of it before: its answer was lost, and it came again."""
    return (present.text, present.version) == (wanted.text, wanted.version + 1)


def version_changed(present: Schema) -> errors.DomainError:
    """Somebody changed the schema after it was read."""
    said = "the schema was changed by another request: read it again"
    metadata = {"category": present.category, "version": str(present.version)}
    return errors.DomainError(errors.Code.ABORTED, "VERSION_CHANGED", said, metadata)


def _read(text: str, kind: str) -> Any:
    """A text as a value of this type, or as it is when it is none."""
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return Decimal(text)
    return _TRUTHS.get(text, text) if kind == "boolean" else text


def _document(text: str) -> Any:
    document = json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_no_number, parse_float=Decimal)
    if _depth(document) > DEEPEST:
        raise _RefusedError("is nested too deeply")
    return document


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RefusedError("names a key twice")
    return found


def _no_number(word: str) -> Any:
    raise _RefusedError(f"contains {word}, which is no number of JSON")


def _depth(document: Any) -> int:
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return 1 + max(map(_depth, inner), default=0)


@functools.cache
def _language() -> Any:
    return jsonschema_rs.Draft202012Validator(dict(LANGUAGE), pattern_options=_PATTERNS, offline=True)


@functools.lru_cache(maxsize=256)
def _compiled(text: str) -> _Compiled:
    document = json.loads(text)
    # Which attributes are allowed depends on the other schemas too.
    closed = document.pop("additionalProperties", True) is False
    validator = jsonschema_rs.Draft202012Validator(document, pattern_options=_PATTERNS, offline=True)
    types = {name: rules["type"] for name, rules in document.get("properties", {}).items()}
    return _Compiled(validator, types, closed)


def _of_schema(error: Any) -> errors.Violation:
    return errors.Violation(
        _path(["json_schema", *error.instance_path]), _shortened(error.message), "ATTRIBUTE_SCHEMA_INVALID"
    )


def _of_attribute(error: Any) -> errors.Violation:
    keyword = error.kind.name
    if keyword == "required":
        return errors.Violation(f"attributes[{error.kind.property}]", "is required", _REASONS[keyword])
    name = error.instance_path[0]
    return errors.Violation(
        f"attributes[{name}]", _shortened(error.message), _REASONS.get(keyword, "ATTRIBUTE_VALUE_INVALID")
    )


def _path(parts: Sequence[str | int]) -> str:
    return "/".join(str(part) for part in parts)[:_MOST_SAID]


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_SAID else f"{text[: _MOST_SAID - 3]}..."


def _schema_invalid(found: Sequence[errors.Violation]) -> errors.DomainError:
    said = "the schema is not one that is taken for attributes"
    counted = {errors.VIOLATIONS: str(len(found))}
    return errors.invalid("ATTRIBUTE_SCHEMA_INVALID", said, *found[:MOST_VIOLATIONS], **counted)
