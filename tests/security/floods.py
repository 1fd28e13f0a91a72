"""Requests that are too much: every field of every method of the contract, with more in it than anybody needs.

They are written as bytes, because a message object of a million elements costs its maker more than its reader.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from services import registry

LENGTH_DELIMITED = 2
# No request may hold one at all: what is in it does not matter.
REFUSED_WHOLE = ("google.protobuf.Any",)
TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


@dataclass(frozen=True, slots=True)
class Target:
    """One field of a method's request that can be large: the fields that lead to it, itself the last."""

    method: MethodDescriptor
    path: tuple[FieldDescriptor, ...]

    @property
    def name(self) -> str:
        return f"{self.method.containing_service.name}.{self.method.name}:" + ".".join(f.name for f in self.path)

    def elements(self, count: int) -> bytes:
        """A request with so many elements in the field, each as small as can be; or so many characters."""
        field = self.path[-1]
        if field.message_type and field.message_type.GetOptions().map_entry:
            # Entries with a key of six characters each and no value.
            before = written(field, b"\x0a\x06......")[:-6]
            flood = b"".join(before + b"%06x" % number for number in range(count))
        elif field.is_repeated and (field.message_type or field.type in TEXTS):
            flood = written(field, b"") * count
        elif field.is_repeated:
            flood = written(field, b"\x01" * count)
        else:
            flood = written(field, b"x" * count)
        return self._wrapped(flood)

    def zeros(self, count: int) -> bytes:
        """A request with so many NULs in the field, where it is a text."""
        return self._wrapped(written(self.path[-1], b"\0" * count))

    def _wrapped(self, flood: bytes) -> bytes:
        for outer in reversed(self.path[:-1]):
            flood = written(outer, flood)
        return flood


def written(field: FieldDescriptor, content: bytes) -> bytes:
    """A length-delimited field as protobuf writes it."""
    return varint(field.number << 3 | LENGTH_DELIMITED) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """An integer as protobuf writes it."""
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def services() -> Iterator[tuple[str, ServiceDescriptor]]:
    """The services of the contract, with the names that the registry gives them."""
    for name in registry.load().services:
        module = import_module(f"souk.{name}.v1.{name}_service_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            yield name, service


def targets() -> list[Target]:
    """Everything in every request that can be large."""
    return [
        Target(method, path)
        for _, service in services()
        for method in service.methods
        for path in _paths(method.input_type)
    ]


def _paths(message: Descriptor, before: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    for field in message.fields:
        path = (*before, field)
        if field.is_repeated or field.type in TEXTS:
            yield path
        of_others = field.message_type and field.message_type.full_name in REFUSED_WHOLE
        if field.message_type and not field.message_type.GetOptions().map_entry and not of_others:
            yield from _paths(field.message_type, path)
