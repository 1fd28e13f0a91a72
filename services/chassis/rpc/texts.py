"""All texts of a message, for rules that hold for every text whatever field it is in."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message


def of(message: Message, within: str = "") -> Iterator[tuple[str, str]]:
    """All texts of a message with their paths: in fields, lists, the keys and values of maps, and messages within it."""
    for field, value in message.ListFields():
        path = f"{within}{field.name}"
        for place, item in _items(field, value):
            if isinstance(item, str):
                yield f"{path}{place}", item
            elif isinstance(item, Message):
                yield from of(item, f"{path}{place}.")


def _items(field: Any, value: Any) -> Iterator[tuple[str, Any]]:
    if field.message_type and field.message_type.GetOptions().map_entry:
        for number, (key, item) in enumerate(value.items()):
            # By number: the key is what may be wrong, and the answer must not repeat it.
            yield f"[{number}]", key
            yield f"[{number}]", item
    elif field.is_repeated:
        yield from ((f"[{number}]", item) for number, item in enumerate(value))
    else:
        yield "", value
