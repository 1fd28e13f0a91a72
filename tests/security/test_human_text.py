"""Text of a person, wherever the contract takes it: something visible, no lines of its own, nothing that reverses the rest."""

import importlib
from collections.abc import Iterator

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor, descriptor_pool, message, message_factory

from services import registry
from services.chassis import errors
from services.chassis.rpc import requests
from souk.options.v1 import text_pb2

INVISIBLE = {
    "spaces": "   ",
    "a no-break space": "\u00a0",
    "a zero-width space": "\u200b",
    "joiners": "\u200d\u200c",
    "an ideographic space": "\u3000",
    "a Hangul filler": "\u3164",
    "a blank of Braille": "\u2800",
    "a lone variation selector": "\ufe0f",
    "a byte order mark": "\ufeff",
    "private use": "\ue000",
}
TURNING = {
    "an override to the left": "exe.\u202efdp",
    "an embedding": "\u202bAnn",
    "an isolate": "Ann\u2067",
    "the end of one": "Ann\u202c",
}
CONTROL = {
    "an escape": "\x1b[2JAnn",
    "a bell": "Ann\x07",
    "delete": "Ann\x7f",
    "a C1 control": "Ann\x9b2J",
    "NUL": "A\0n",
}
LINES = {"a line feed": "Ann\nBcc: all@example.com", "a return": "Ann\r", "a tab": "Ann\tBob"}
SEPARATORS = {"a line separator": "Ann\u2028Bob", "a paragraph separator": "Ann\u2029", "a next line": "Ann\x85Bob"}
REFUSED = {**INVISIBLE, **TURNING, **CONTROL, **SEPARATORS}
TAKEN = (
    "Ann",
    "Žofie Nováková-李",
    "O'Neil & Sons (2nd floor), No. 7",
    "محمد\u200fعلي",
    "می\u200cخواهم",  # noqa: RUF001 - Persian, and meant
    "👩\u200d👩\u200d👧 ❤\ufe0f",
    "e\u0301",
    " Ann ",
    "٣",
)
MULTILINE = "One.\r\n\tTwo.\n\nThree."


def messages() -> Iterator[descriptor.Descriptor]:
    """Every message of the contract that a request may be or hold."""
    pool = descriptor_pool.Default()
    for service in registry.load().services:
        importlib.import_module(f"souk.{service}.v1.{service}_service_pb2")
        of_service = pool.FindServiceByName(f"souk.{service}.v1.{service.capitalize()}Service")
        waiting = [method.input_type for method in of_service.methods]
        while waiting:
            found = waiting.pop()
            yield found
            waiting += [field.message_type for field in found.fields if field.message_type]


def rules_of(field: descriptor.FieldDescriptor) -> validate_pb2.StringRules:
    """The rules of a string, or of the values of a map of strings."""
    options = field.GetOptions()
    rules: validate_pb2.FieldRules = options.Extensions[validate_pb2.field]
    return rules.map.values.string if rules.HasField("map") else rules.string


def texts(rule: descriptor.FieldDescriptor) -> list[tuple[str, str]]:
    """The message and the name of every field that has a rule."""
    found = {
        (within.full_name, field.name)
        for within in messages()
        for field in within.fields
        if rules_of(field).Extensions[rule]  # type: ignore[index]  # the stub's type of an extension is another
    }
    return sorted(found)


def holding(name: str, field: str, text: str) -> message.Message:
    """A message with this text in one field, or in a value of it."""
    found = descriptor_pool.Default().FindMessageTypeByName(name)
    made = message_factory.GetMessageClass(found)()
    if found.fields_by_name[field].message_type:
        getattr(made, field)["key"] = text
    else:
        setattr(made, field, text)
    return made


def refusals(name: str, field: str, text: str) -> list[str]:
    """The rules that this text breaks in this field."""
    try:
        request = holding(name, field, text)
        requests.validate(request, request.SerializeToString())
    except errors.DomainError as error:
        return [violation.reason for violation in error.violations if violation.field.partition("[")[0] == field]
    return []


LINE, PROSE = texts(text_pb2.line), texts(text_pb2.prose)


def test_names_titles_streets_and_reasons_are_among_them() -> None:
    assert {
        ("souk.user.v1.RegisterRequest", "display_name"),
        ("souk.user.v1.UpdateMeRequest", "display_name"),
        ("souk.type.v1.Address", "line1"),
        ("souk.catalog.v1.CreateProductRequest", "attributes"),
        ("souk.inventory.v1.AdjustStockRequest", "reason"),
    } <= set(LINE)
    assert ("souk.notification.v1.SendNotificationRequest", "text") in PROSE


@pytest.mark.parametrize("attack", REFUSED)
def test_what_is_invisible_or_turns_text_round_is_refused_in_every_text(attack: str) -> None:
    for name, field in LINE:
        assert "string.line" in refusals(name, field, REFUSED[attack]), (name, field)
    for name, field in PROSE:
        found = refusals(name, field, REFUSED[attack])
        assert "string.prose" in found, (name, field)


@pytest.mark.parametrize("attack", LINES)
def test_a_line_has_no_lines_of_its_own(attack: str) -> None:
    for name, field in LINE:
        assert "string.line" in refusals(name, field, LINES[attack]), (name, field)


@pytest.mark.parametrize("text", TAKEN)
def test_text_of_every_language_is_taken(text: str) -> None:
    wide = [(name, field) for name, field in LINE + PROSE if field != "postal_code"]
    assert {(name, field): found for name, field in wide if (found := refusals(name, field, text))} == {}


def test_prose_has_lines() -> None:
    for name, field in PROSE:
        assert refusals(name, field, MULTILINE) == [], (name, field)


def test_what_may_be_left_out_may_be_empty() -> None:
    assert refusals("souk.type.v1.Address", "line2", "") == []
    assert "string.min_len" in refusals("souk.type.v1.Address", "line1", "")
