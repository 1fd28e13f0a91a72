"""How large a request may be: upper bounds that the contract's field rules imply, checked before its elements are looked at.

The work that a request causes must be bounded by the contract, not by what somebody sends. `largest` says how many bytes
the largest valid request has: more is refused before it is parsed. `exceeded` compares the number of elements of
every list and map with its rule: protovalidate would look at each of a million elements first, and complain of each.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.chassis import errors

# What callers built against a later contract may send in fields that this release does not know yet.
UNKNOWN_BYTES = 16 * 1024
# So many lists and maps that are too long are named.
MOST_EXCEEDED = 20
# A key, or a length, or an integer, as protobuf writes it, has at most so many bytes.
_VARINT_BYTES = 10
_CHARACTER_BYTES = 4
_TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
# Formats whose length is known, in bytes.
_FORMATS = {"uuid": 36, "tuuid": 32, "ipv4": 15, "ipv6": 45}
# Messages of others in our contract, which have no rules: the domain checks what is in them. A piece of an upload is what the
# edge reads at once from its caller, which is its limit for whole requests, 1 MiB, and a little more.
_FOREIGN = {
    "google.type.Money.currency_code": 3,
    "google.api.HttpBody.content_type": 256,
    "google.api.HttpBody.data": 1024 * 1024 + 256 * 1024,
    "google.api.HttpBody.extensions": 0,
    "google.protobuf.Any.type_url": 0,
    "google.protobuf.Any.value": 0,
}

# Adds what is too long in a message, that stands at a path, to a list.
Check = Callable[[Any, str, list[errors.Violation]], None]


class UnboundedError(ValueError):
    """A field of a request may be as large as its sender likes."""


@cache
def largest(descriptor: Descriptor) -> int:
    """The bytes of the largest request of this type that the contract allows, unknown fields included.

    Raises UnboundedError, which names a field without an upper bound.
    """
    return _largest(descriptor) + UNKNOWN_BYTES


def exceeded(request: Message) -> list[errors.Violation]:
    """The lists and maps of a request that have more elements than the contract allows: the first few of them.

    What is inside a list that is too long is not looked at.
    """
    found: list[errors.Violation] = []
    if check := _check(request.DESCRIPTOR):
        check(request, "", found)
    return found[:MOST_EXCEEDED]


def _largest(descriptor: Descriptor) -> int:
    return sum(_VARINT_BYTES + _field_bytes(field) for field in descriptor.fields)


def _field_bytes(field: FieldDescriptor) -> int:
    rules = _rules(field)
    if field.message_type and _is_map(field):
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        one = 3 * _VARINT_BYTES + _one_bytes(key, rules.map.keys) + _one_bytes(value, rules.map.values)
        return _most(field, rules) * (_VARINT_BYTES + one)
    if field.is_repeated:
        return _most(field, rules) * (_VARINT_BYTES + _one_bytes(field, rules.repeated.items))
    return _one_bytes(field, rules)


def _one_bytes(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> int:
    """The most bytes of one value of a field, its length before it included."""
    if field.message_type:
        return _VARINT_BYTES + _largest(field.message_type)
    return _VARINT_BYTES + (_text_bytes(field, rules) if field.type in _TEXTS else 0)


def _text_bytes(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> int:
    kind = rules.WhichOneof("type")
    text: Any = getattr(rules, kind) if kind in ("string", "bytes") else None
    if field.full_name in _FOREIGN:
        return _FOREIGN[field.full_name]
    if text is None:
        raise UnboundedError(f"{field.full_name} has no upper bound")
    bounds = [_CHARACTER_BYTES * getattr(text, name) for name in ("len", "max_len") if _given(text, name)]
    bounds += [getattr(text, name) for name in ("len_bytes", "max_bytes") if _given(text, name)]
    bounds += [length for name, length in _FORMATS.items() if getattr(text, name, False)]
    if not bounds:
        raise UnboundedError(f"{field.full_name} has no upper bound")
    return int(min(bounds))


def _given(text: Any, name: str) -> bool:
    return name in text.DESCRIPTOR.fields_by_name and text.HasField(name)


def _most(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> int:
    """How many elements a list or map may have."""
    if field.full_name in _FOREIGN:
        return _FOREIGN[field.full_name]
    if _is_map(field) and rules.map.HasField("max_pairs"):
        return rules.map.max_pairs
    if not _is_map(field) and rules.repeated.HasField("max_items"):
        return rules.repeated.max_items
    raise UnboundedError(f"{field.full_name} has no upper bound")


@cache
def _check(descriptor: Descriptor) -> Check | None:
    """What compares the lists and maps in messages of this type with their rules; None when there are none in them."""
    checks = [check for check in map(_check_of_field, descriptor.fields) if check]
    if not checks:
        return None

    if len(checks) == 1:
        return checks[0]

    def check_all(message: Any, within: str, found: list[errors.Violation]) -> None:
        for check in checks:
            check(message, within, found)

    return check_all


def _check_of_field(field: FieldDescriptor) -> Check | None:
    inner = _check(field.message_type) if field.message_type and not _is_map(field) else None
    if field.is_repeated:
        return _check_of_elements(field, inner)
    return _check_of_message(field.name, inner) if inner else None


def _check_of_message(name: str, inner: Check) -> Check:
    def check(message: Any, within: str, found: list[errors.Violation]) -> None:
        if message.HasField(name):
            inner(getattr(message, name), f"{within}{name}.", found)

    return check


def _check_of_elements(field: FieldDescriptor, inner: Check | None) -> Check:
    name, most = field.name, _most(field, _rules(field))
    description = f"must contain no more than {most} item(s)"
    rule = "map.max_pairs" if _is_map(field) else "repeated.max_items"

    def check(message: Any, within: str, found: list[errors.Violation]) -> None:
        elements = getattr(message, name)
        if len(elements) > most:
            found.append(errors.Violation(f"{within}{name}", description, rule))
        elif inner:
            for number, element in enumerate(elements):
                inner(element, f"{within}{name}[{number}].", found)

    return check


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
