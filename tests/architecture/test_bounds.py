"""Nothing in a request of the contract may be as large as its sender likes: every list, map and text has an upper bound."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, MethodDescriptor

from services.chassis.rpc import bounds, server
from tests.security import floods

LABELS = TYPES = descriptor_pb2.FieldDescriptorProto
METHODS = [
    pytest.param(method, id=method.full_name.removeprefix("souk."))
    for _, service in floods.services()
    for method in service.methods
]


@pytest.mark.parametrize("method", METHODS)
def test_every_field_of_a_request_has_an_upper_bound(method: MethodDescriptor) -> None:
    assert bounds.largest(method.input_type) < server.MOST_MESSAGE_BYTES


def described(kind: str) -> Descriptor:
    """A message that holds a field of this kind, without any rule."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{kind}.proto", package="probe", syntax="proto3")
    inner = file.message_type.add(name="Inner")
    field = inner.field.add(name="field", number=1, label=LABELS.LABEL_OPTIONAL, type=TYPES.TYPE_STRING)
    if kind == "bytes":
        field.type = TYPES.TYPE_BYTES
    if kind in ("repeated", "map"):
        field.label = LABELS.LABEL_REPEATED
        field.type = TYPES.TYPE_INT32 if kind == "repeated" else TYPES.TYPE_MESSAGE
    if kind == "map":
        entry = inner.nested_type.add(name="FieldEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
        for number, name in enumerate(("key", "value"), 1):
            entry.field.add(name=name, number=number, label=LABELS.LABEL_OPTIONAL, type=TYPES.TYPE_INT32)
        field.type_name = ".probe.Inner.FieldEntry"
    outer = file.message_type.add(name="Outer")
    outer.field.add(
        name="inner", number=1, label=LABELS.LABEL_OPTIONAL, type=TYPES.TYPE_MESSAGE, type_name=".probe.Inner"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("probe.Outer")


@pytest.mark.parametrize("kind", ["repeated", "map", "string", "bytes"])
def test_a_field_without_one_is_noticed_wherever_it_is(kind: str) -> None:
    with pytest.raises(bounds.UnboundedError, match=r"probe\.Inner\.field has no upper bound"):
        bounds.largest(described(kind))
