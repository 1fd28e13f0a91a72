"""A request as it arrives: measured, parsed, and validated by the contract's rules. Sizes come before elements.

What this costs is bounded by the contract, not by what was sent: the bytes are counted before they are parsed, the elements of
lists and maps before they are looked at (`bounds.py`), and an error names the first violations only.
"""

from collections.abc import Callable, Sequence
from typing import Any

import protovalidate
from google.protobuf.message import DecodeError, Message

from services.chassis import errors
from services.chassis.rpc import bounds, card_numbers, status, texts

Parse = Callable[[bytes], Message]


def read(sent: bytes, parse: Parse, *, most_bytes: int, key: str) -> Message:
    """The request in these bytes. key is the `Idempotency-Key` header, empty without one.

    Raises REQUEST_TOO_LARGE, REQUEST_MALFORMED, IDEMPOTENCY_KEY_MISMATCH or REQUEST_INVALID.
    """
    if len(sent) > most_bytes:
        raise too_large(len(sent), most_bytes)
    try:
        request = parse(sent)
    except DecodeError as error:
        raise errors.invalid("REQUEST_MALFORMED", "the request is not a message of the contract") from error
    if key:
        _take_key(request, key)
    validate(request, sent)
    return request


def too_large(size: int, most_bytes: int) -> errors.DomainError:
    """A request, or all messages of one together, has more bytes than any valid one."""
    said = f"this request has {size} bytes; the largest valid one has at most {most_bytes}"
    return errors.invalid("REQUEST_TOO_LARGE", said, bytes=str(size), most_bytes=str(most_bytes))


def _take_key(request: Any, key: str) -> None:
    """Make the `Idempotency-Key` header the `request_id` of a request that has such a field. Raises when they differ."""
    own = getattr(request, "request_id", None)
    if own == "":
        request.request_id = key
    elif own is not None and own != key:
        violation = errors.Violation(
            "request_id", "differs from the header Idempotency-Key", "IDEMPOTENCY_KEY_MISMATCH"
        )
        said = "the header Idempotency-Key and the field request_id differ: send one of them, or the same in both"
        raise errors.invalid("IDEMPOTENCY_KEY_MISMATCH", said, violation)


def validate(request: Message, sent: bytes) -> None:
    """Raise REQUEST_INVALID with the fields that break a rule of the contract, or hold what no text may hold.

    That is a NUL, which no database stores, and the number of a payment card. sent is what the request was parsed from. What
    has too many elements is refused before they are looked at.
    """
    if exceeded := bounds.exceeded(request):
        raise _invalid(exceeded, len(exceeded))
    found = protovalidate.collect_violations(request)
    violations = [_violation(item) for item in found[: status.MOST_VIOLATIONS]]
    count = len(found)
    # Looking into every text costs as much as the rules do: only a request with a zero byte in it is looked into.
    if b"\0" in sent:
        nul = [_nul(path) for path, text in texts.of(request) if "\0" in text]
        violations, count = violations + nul, count + len(nul)
    numbers = card_numbers.violations(request, sent)
    violations, count = violations + numbers, count + len(numbers)
    if violations:
        raise _invalid(violations, count)


def _invalid(violations: Sequence[errors.Violation], count: int) -> errors.DomainError:
    said = (
        "the request breaks a rule of the contract"
        if count == 1
        else f"the request breaks {count} rules of the contract"
    )
    counted = {errors.VIOLATIONS: str(count)}
    return errors.invalid("REQUEST_INVALID", said, *violations[: status.MOST_VIOLATIONS], **counted)


def _nul(path: str) -> errors.Violation:
    return errors.Violation(path, "must not contain NUL", "string.nul")


def _violation(item: Any) -> errors.Violation:
    proto = item.proto
    # A rule of the whole message has no field.
    elements = proto.field.elements if proto.field else ()
    path = "".join(_element(element) for element in elements).lstrip(".")
    return errors.Violation(path, proto.message, proto.rule_id)


def _element(element: Any) -> str:
    subscript = f"[{element.subscript.value}]" if element.subscript else ""
    return f".{element.field_name}{subscript}"
