"""What a category may ask of its products' attributes, and what complies with it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain import attribute_schemas
from services.chassis import errors

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAPTOP = {
    "$schema": attribute_schemas.DIALECT,
    "title": "Laptop",
    "type": "object",
    "properties": {
        "ram_gb": {"type": "integer", "minimum": 4, "maximum": 512, "multipleOf": 4},
        "weight_kg": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.1},
        "touch": {"type": "boolean"},
        "keyboard": {"type": "string", "enum": ["QWERTY", "QWERTZ"]},
        "model": {"type": "string", "minLength": 2, "pattern": "^[A-Z0-9-]+$", "description": "As the maker says it"},
    },
    "required": ["ram_gb", "keyboard"],
}
GOOD = {"ram_gb": "16", "weight_kg": "1.3", "touch": "true", "keyboard": "QWERTZ", "model": "X1-9"}


def schema(document: Any, category: str = "laptops") -> attribute_schemas.Schema:
    return attribute_schemas.Schema(category, json.dumps(document), 1, NOW)


def wrong(*schemas: attribute_schemas.Schema, **attributes: str) -> dict[str, str]:
    """The attributes that do not comply, and why."""
    return {item.field: item.reason for item in attribute_schemas.violations(schemas, attributes)}


def refused(text: str) -> set[str]:
    """Where a schema is not taken."""
    with pytest.raises(errors.DomainError) as caught:
        attribute_schemas.check_schema(text)
    assert caught.value.reason == "ATTRIBUTE_SCHEMA_INVALID"
    assert all(item.description for item in caught.value.violations)
    return {item.field for item in caught.value.violations}


def test_a_schema_of_typed_attributes_is_taken_and_what_complies_with_it_passes() -> None:
    attribute_schemas.check_schema(json.dumps(LAPTOP))
    attribute_schemas.check([schema(LAPTOP)], GOOD)
    attribute_schemas.check([schema(LAPTOP)], GOOD | {"colour": "any other attribute"})
    attribute_schemas.check([], {"anything": "goes"})


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("ram_gb", "sixteen", "ATTRIBUTE_TYPE_WRONG"),
        ("ram_gb", "016", "ATTRIBUTE_TYPE_WRONG"),
        ("ram_gb", "16.0", "ATTRIBUTE_TYPE_WRONG"),
        ("ram_gb", "1e1", "ATTRIBUTE_TYPE_WRONG"),
        ("ram_gb", "١٦", "ATTRIBUTE_TYPE_WRONG"),
        ("ram_gb", "2", "ATTRIBUTE_VALUE_INVALID"),
        ("ram_gb", "18", "ATTRIBUTE_VALUE_INVALID"),
        ("weight_kg", "0", "ATTRIBUTE_VALUE_INVALID"),
        ("weight_kg", "1.35", "ATTRIBUTE_VALUE_INVALID"),
        ("weight_kg", "NaN", "ATTRIBUTE_TYPE_WRONG"),
        ("touch", "yes", "ATTRIBUTE_TYPE_WRONG"),
        ("keyboard", "qwerty", "ATTRIBUTE_VALUE_INVALID"),
        ("model", "X", "ATTRIBUTE_VALUE_INVALID"),
        ("model", "x1", "ATTRIBUTE_VALUE_INVALID"),
    ],
)
def test_each_attribute_that_does_not_comply_is_named_with_its_reason(name: str, text: str, reason: str) -> None:
    assert wrong(schema(LAPTOP), **GOOD | {name: text}) == {f"attributes[{name}]": reason}


def test_all_violations_come_at_once_and_are_counted() -> None:
    with pytest.raises(errors.DomainError) as caught:
        attribute_schemas.check([schema(LAPTOP)], {"ram_gb": "1", "touch": "no"})
    assert caught.value.reason == "ATTRIBUTES_INVALID"
    found = {item.field for item in caught.value.violations}
    assert found == {"attributes[ram_gb]", "attributes[touch]", "attributes[keyboard]"}
    assert int(caught.value.metadata["violations"]) == len(caught.value.violations)


def test_a_value_that_is_long_makes_no_long_message() -> None:
    many = {"type": "object", "properties": {"a": {"type": "string", "enum": [f"{'x' * 190}{n}" for n in range(99)]}}}
    [violation] = attribute_schemas.violations([schema(many)], {"a": "y" * 200})
    assert len(violation.description) <= 300


def test_a_category_adds_rules_and_takes_none_away() -> None:
    above = schema({"properties": {"voltage": {"type": "integer"}}, "required": ["voltage"]}, "electronics")
    below = schema({"properties": {"voltage": {"type": "integer", "minimum": 100}}}, "laptops")
    assert wrong(above, below) == {"attributes[voltage]": "ATTRIBUTE_REQUIRED"}
    assert wrong(above, below, voltage="12") == {"attributes[voltage]": "ATTRIBUTE_VALUE_INVALID"}
    assert wrong(above, voltage="12") == {}
    assert wrong(above, below, voltage="230") == {}


def test_a_closed_schema_allows_what_any_schema_of_the_line_names() -> None:
    above = schema({"properties": {"voltage": {"type": "integer"}}, "additionalProperties": False}, "electronics")
    below = schema({"properties": {"ram_gb": {"type": "integer"}}}, "laptops")
    assert wrong(above, below, voltage="230", ram_gb="16") == {}
    assert wrong(above, below, colour="red") == {"attributes[colour]": "ATTRIBUTE_UNKNOWN"}
    assert wrong(above, ram_gb="16") == {"attributes[ram_gb]": "ATTRIBUTE_UNKNOWN"}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"$ref": "https://example.com/evil.json"}, "json_schema"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "json_schema/properties/a"),
        ({"$defs": {}}, "json_schema"),
        ({"allOf": [{}]}, "json_schema"),
        ({"properties": {"a": {"type": "object"}}}, "json_schema/properties/a/type"),
        ({"properties": {"a": {"type": "array"}}}, "json_schema/properties/a/type"),
        ({"properties": {"a": {"type": ["string", "integer"]}}}, "json_schema/properties/a/type"),
        ({"properties": {"a": {}}}, "json_schema/properties/a"),
        ({"properties": {"a": True}}, "json_schema/properties/a"),
        ({"properties": {"A-B": {"type": "string"}}}, "json_schema/properties"),
        ({"properties": {"a": {"type": "integer", "minLength": 1}}}, "json_schema/properties/a"),
        ({"properties": {"a": {"type": "string", "minimum": 1}}}, "json_schema/properties/a"),
        ({"properties": {"a": {"type": "integer", "enum": ["1"]}}}, "json_schema/properties/a/enum/0"),
        ({"properties": {"a": {"type": "string", "enum": []}}}, "json_schema/properties/a/enum"),
        ({"properties": {"a": {"type": "string", "maxLength": -1}}}, "json_schema/properties/a/maxLength"),
        ({"properties": {"a": {"type": "number", "multipleOf": 0}}}, "json_schema/properties/a/multipleOf"),
        ({"properties": {"a": {"type": "number", "minimum": 1e300}}}, "json_schema/properties/a/minimum"),
        ({"required": "a"}, "json_schema/required"),
        ({"additionalProperties": {"type": "string"}}, "json_schema/additionalProperties"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "json_schema/$schema"),
        ({"type": "array"}, "json_schema/type"),
        ({"properties": {f"a{n}": {"type": "string"} for n in range(51)}}, "json_schema/properties"),
        ([], "json_schema"),
        (True, "json_schema"),
    ],
)
def test_what_is_not_taken_is_refused_at_its_place(document: Any, where: str) -> None:
    assert where in refused(json.dumps(document))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "no json",
        "[" * 10_000,
        '{"properties":' * 2_000 + "{}" + "}" * 2_000,
        '{"properties": {}, "properties": {}}',
        '{"properties": {"a": {"type": "number", "minimum": NaN}}}',
        '{"properties": {"a": {"type": "number", "minimum": 1e999}}}',
        '{"properties": {"a": {"type": "integer", "minimum": %s}}}' % ("9" * 5000),
    ],
)
def test_hostile_documents_are_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", r"(a)\1", "(a{1000}){1000}", "(?<x>a)(?P=x)"])
def test_a_pattern_that_could_take_long_is_refused(pattern: str) -> None:
    assert refused(json.dumps({"properties": {"a": {"type": "string", "pattern": pattern}}}))


def test_a_pattern_takes_linear_time() -> None:
    nested = {"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    attribute_schemas.check_schema(json.dumps(nested))
    # A backtracking engine would need 2^199 steps.
    assert wrong(schema(nested), a="a" * 199 + "b") == {"attributes[a]": "ATTRIBUTE_VALUE_INVALID"}


names = st.sampled_from(["a", "b", "c"])
rules = st.one_of(
    st.fixed_dictionaries({"type": st.just("string"), "maxLength": st.integers(0, 3)}),
    st.fixed_dictionaries({"type": st.just("integer"), "minimum": st.integers(-5, 5)}),
    st.fixed_dictionaries({"type": st.just("boolean")}),
)
documents = st.fixed_dictionaries(
    {"properties": st.dictionaries(names, rules), "required": st.lists(names, unique=True)},
    optional={"additionalProperties": st.booleans()},
)
attributes = st.dictionaries(names, st.sampled_from(["true", "-3", "0", "4", "x", "long text"]))


@given(st.lists(documents, max_size=4), attributes)
def test_what_a_category_takes_every_open_category_above_takes_too(line: list[Any], said: dict[str, str]) -> None:
    schemas = [schema(document) for document in line]
    for document in line:
        attribute_schemas.check_schema(json.dumps(document))
    if not wrong(*schemas, **said):
        open_ones = [schema({**document, "additionalProperties": True}) for document in line]
        for depth in range(len(line)):
            assert not wrong(*open_ones[:depth], **said)


@given(documents, attributes)
def test_a_schema_beneath_itself_changes_nothing(document: Any, said: dict[str, str]) -> None:
    assert wrong(schema(document), **said) == wrong(schema(document), schema(document), **said)
