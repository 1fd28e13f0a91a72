"""The local stack derives its ports from the registry: they must stay apart."""

from collections import Counter

from scripts.stack import layout
from services import registry


def test_no_two_listeners_of_a_stack_share_a_port() -> None:
    stack = layout.Stack()
    services = registry.load().services.values()
    ports = [
        *(stack.port(part) for part in layout.OFFSETS),
        *(stack.service_port(service.port) for service in services),
        *(stack.metrics_port(service.metrics_port) for service in services),
        stack.together_metrics_port,
        stack.port_base + layout.EDGE_OFFSET,
        stack.edge_port,
    ]
    assert [port for port, times in Counter(ports).items() if times > 1] == []
