"""A block more in services.yaml, as text: the comments and the order of what is there stay as they are."""

from collections.abc import Sequence

import yaml
from yaml.nodes import MappingNode

from services.registry import Registry, Service

# A new topic starts with as many partitions as those about orders.
PARTITIONS = 6


def next_ports(known: Registry) -> tuple[int, int]:
    """The next free gRPC port and metrics port."""
    services = known.services.values()
    return max(service.port for service in services) + 1, max(service.metrics_port for service in services) + 1


def added(text: str, service: Service, *, key: str, new_topics: Sequence[str] = ()) -> str:
    """The registry's text with the service behind the others, and with its topics before the last one."""
    lines = text.splitlines(keepends=True)
    topics = _entries(text, "topics")
    for topic in reversed(new_topics):
        lines.insert(topics[-1], f"  {topic}: {{key: {key}, partitions: {PARTITIONS}}}\n")
    at = _end(text, lines)
    return "".join([*lines[:at], *_block(service), *lines[at:]])


def _block(service: Service) -> list[str]:
    fields = {"stores": service.stores, "publishes": service.publishes, "consumes": service.consumes}
    fields["calls"] = service.calls
    return [
        f"  {service.name}:\n",
        f"    port: {service.port}\n",
        f"    metrics_port: {service.metrics_port}\n",
        *(f"    {name}: [{', '.join(values)}]\n" for name, values in fields.items()),
    ]


def _entries(text: str, section: str) -> list[int]:
    """The lines on which the entries of a section begin."""
    return [key.start_mark.line for key, _ in _section(text, section).value]


def _section(text: str, section: str) -> MappingNode:
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    [found] = [value for key, value in document.value if key.value == section]  # type: ignore[union-attr]  # a mapping
    assert isinstance(found, MappingNode)  # noqa: S101 - or the registry could not be read either
    return found


def _end(text: str, lines: Sequence[str]) -> int:
    """The line behind the last block of a service."""
    at = _entries(text, "services")[-1] + 1
    while at < len(lines) and lines[at].startswith("    "):
        at += 1
    return at
