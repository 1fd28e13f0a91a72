"""JSON schemas of the contract's messages, as proto JSON writes them, with the rules of `buf.validate`.

Field names stay as in the contract, enums are their values' names, bytes are base64. A 64-bit integer is answered as a
string; in what a caller sends, a number is as good.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from buf.validate import validate_pb2

from gateway.contract import Contract, Field, Message
from souk.options.v1 import text_pb2

Schema = dict[str, Any]

_INT64 = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_UINT64 = {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
_INT32 = {"type": "integer", "format": "int32"}
_UINT32 = {"type": "integer", "format": "uint32", "minimum": 0}
_SCALARS: Mapping[str, Schema] = {
    "double": {"type": "number", "format": "double"},
    "float": {"type": "number", "format": "float"},
    "int64": _INT64,
    "sint64": _INT64,
    "sfixed64": _INT64,
    "uint64": _UINT64,
    "fixed64": _UINT64,
    "int32": _INT32,
    "sint32": _INT32,
    "sfixed32": _INT32,
    "uint32": _UINT32,
    "fixed32": _UINT32,
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
}
_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}},
}


# Our own rules of strings that no empty string keeps.
_NEVER_EMPTY = (text_pb2.country, text_pb2.address)
_COUNTRY_CODE = "^[A-Z]{2}$"


class Schemas:
    """Writes schemas and remembers which messages and enums they refer to.

    sent names the messages that callers send: their 64-bit integers may be numbers.
    """

    def __init__(self, contract: Contract, sent: Collection[str]) -> None:
        self._contract = contract
        self._sent = sent
        self._components: dict[str, Schema] = {}

    @property
    def components(self) -> Mapping[str, Schema]:
        """What the schemas so far refer to, by name."""
        return dict(sorted(self._components.items()))

    def message(self, name: str) -> Schema:
        """A reference to a message's schema, or the schema itself where proto JSON has a form of its own."""
        if name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[name])
        if name not in self._components:
            # Entered first, so that a message which holds itself ends.
            self._components[name] = {}
            self._components[name] = self.object(self._contract.messages[name])
        return {"$ref": f"#/components/schemas/{name}"}

    def object(self, message: Message, without: Collection[str] = ()) -> Schema:
        """The schema of a message itself, less some fields."""
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {"type": "object"}
        if message.comment:
            schema["description"] = message.comment
        if fields:
            schema["properties"] = {field.name: self.field(field, message.full_name) for field in fields}
        if required := [field.name for field in fields if is_required(field)]:
            schema["required"] = required
        return schema

    def field(self, field: Field, owner: str) -> Schema:
        """The schema of a field's value."""
        schema = self._map(field) or self._value(field, owner)
        if field.comment:
            schema["description"] = field.comment
        return schema

    def _map(self, field: Field) -> Schema | None:
        entry = self._contract.messages.get(field.type_name)
        if entry is None or not entry.map_entry:
            return None
        value = next(each for each in entry.fields if each.name == "value")
        rules = field.rules.map
        values = self._single(value, entry.full_name, rules.values) | constraints(rules.values)
        of_map = _present(
            propertyNames=constraints(rules.keys), minProperties=rules.min_pairs, maxProperties=rules.max_pairs
        )
        return {"type": "object", "additionalProperties": values} | of_map

    def _value(self, field: Field, owner: str) -> Schema:
        if not field.repeated:
            return self._single(field, owner, field.rules) | constraints(field.rules)
        of_items = field.rules.repeated.items
        items = self._single(field, owner, of_items) | constraints(of_items)
        return {"type": "array", "items": items} | constraints(field.rules)

    def _single(self, field: Field, owner: str, rules: validate_pb2.FieldRules) -> Schema:
        if field.type == "message":
            return self.message(field.type_name)
        if field.type == "enum":
            return self._enum(field.type_name, unspecified=0 not in rules.enum.not_in)
        schema = dict(_SCALARS[field.type])
        if schema.get("format") in {"int64", "uint64"} and owner in self._sent:
            schema["type"] = ["string", "integer"]
        return schema

    def _enum(self, name: str, *, unspecified: bool) -> Schema:
        enum = self._contract.enums[name]
        lines = [enum.comment, *(f"- `{value}`: {comment}" for value, comment in enum.values.items() if comment)]
        self._components[name] = {"type": "string", "enum": list(enum.values), "description": "\n".join(lines).strip()}
        reference = {"$ref": f"#/components/schemas/{name}"}
        # The first value of an enum is its zero.
        return reference if unspecified else {**reference, "not": {"const": next(iter(enum.values))}}


def reachable(contract: Contract, names: Collection[str]) -> set[str]:
    """These messages and all that they hold."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name in contract.messages:
            found.add(name)
            waiting += [field.type_name for field in contract.messages[name].fields if field.type == "message"]
    return found


def is_required(field: Field) -> bool:
    """Whether a request without the field is refused: it is required, or its rules do not allow the default."""
    rules = field.rules
    if field.optional or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return bool(rules.required)
    return bool(
        rules.required
        or rules.string.min_len
        or any(rules.string.Extensions[rule] for rule in _NEVER_EMPTY)
        or rules.string.email
        or rules.string.uuid
        or (rules.string.pattern and not re.search(rules.string.pattern, ""))
        or rules.repeated.min_items
        or any(bounds.get("minimum", 0) > 0 for bounds in _bounds(rules))
    )


def constraints(rules: validate_pb2.FieldRules) -> Schema:
    """The rules of a field in JSON schema's words."""
    kind = rules.WhichOneof("type")
    if kind == "string":
        return _string(rules.string)
    if kind == "repeated":
        return _present(
            minItems=rules.repeated.min_items, maxItems=rules.repeated.max_items, uniqueItems=rules.repeated.unique
        )
    return {key: value for bounds in _bounds(rules) for key, value in bounds.items()} | _excluded(rules)


def _excluded(rules: validate_pb2.FieldRules) -> Schema:
    """The numbers that a number must not be, also where it is written as a string."""
    excluded = list(rules.int32.not_in) + list(rules.int64.not_in)
    return {"not": {"enum": [form for number in excluded for form in (number, str(number))]}} if excluded else {}


def _string(rules: validate_pb2.StringRules) -> Schema:
    formats = {"email": rules.email, "uuid": rules.uuid, "uri": rules.uri, "hostname": rules.hostname}
    formats["idn-email"] = rules.Extensions[text_pb2.address]
    formats["password"] = rules.Extensions[text_pb2.opaque] == text_pb2.SECRET
    return _present(
        minLength=rules.min_len,
        maxLength=rules.max_len,
        pattern=_COUNTRY_CODE if rules.Extensions[text_pb2.country] else rules.pattern,
        format=next((name for name, asked in formats.items() if asked), ""),
        enum=list(getattr(rules, "in")),
    )


def _bounds(rules: validate_pb2.FieldRules) -> Iterator[Schema]:
    """The bounds of a number. On a 64-bit integer they speak of the number that the string stands for."""
    words = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum"}
    kind = rules.WhichOneof("type")
    if kind is None:
        return
    of_kind = getattr(rules, kind)
    for name, word in words.items():
        if name not in of_kind.DESCRIPTOR.fields_by_name or not of_kind.HasField(name):
            continue
        bound = getattr(of_kind, name)
        # Times and durations have bounds too, which JSON schema has no word for.
        if isinstance(bound, int | float):
            yield {word: bound}


def _present(**words: Any) -> Schema:
    return {word: value for word, value in words.items() if value}
