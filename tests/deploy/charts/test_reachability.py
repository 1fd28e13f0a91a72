"""Who reaches whom by the rendered NetworkPolicies, all pairs: the contract's callers, stores, Prometheus, and nobody else."""

from typing import Any

import pytest

from gateway import contract
from scripts.generate.chart import __main__ as chart
from services import registry
from tests.deploy.charts import objects, reachability, rendering

REGISTRY = registry.load()
CONTRACT = contract.read(chart.DESCRIPTORS.read_bytes(), REGISTRY.services)
PROMETHEUS = reachability.Pod("prometheus", "monitoring", {})
STRANGER = reachability.Pod("stranger", "default", {"app.kubernetes.io/name": "souk"})
NEIGHBOUR = reachability.Pod("neighbour", rendering.NAMESPACE, {"app.kubernetes.io/name": "other"})
SIMULATORS = {"provider": ("provider", 8090), "carrier": ("carrier", 8091), "smtp": ("mail", 2525)}
STORES = {"postgres": 5432, "redis": 6379}
Connections = set[tuple[str, str, int]]


def calls() -> Connections:
    """What the contract allows, computed here from its rules and the registry: not from the chart's own file."""
    allowed: Connections = set()
    for called in CONTRACT.services:
        port = REGISTRY.services[called.name].port
        target = f"{called.name}/serve"
        if any(method.access.exposed for method in called.methods):
            allowed.add(("edge", target, port))
        for caller in REGISTRY.services.values():
            if called.name in caller.calls:
                allowed |= {(f"{caller.name}/{role}", target, port) for role in caller.roles}
    return allowed


def scrapes() -> Connections:
    services = REGISTRY.services.values()
    return {("prometheus", f"{one.name}/{role}", one.metrics_port) for one in services for role in one.roles}


def visits() -> Connections:
    return {(who, "edge", 8080) for who in ("prometheus", "stranger", "neighbour", "smoke")}


def development() -> Connections:
    """Who uses the servers that a development release brings."""
    found: Connections = {("topics", "kafka", 9092), ("databases", "postgres", 5432), ("sample-data", "edge", 8080)}
    for one in REGISTRY.services.values():
        if one.on_kafka:
            found.add((f"{one.name}/work", "kafka", 9092))
        if "postgres" in one.stores:
            found.add((f"migrate-{one.name}", "postgres", 5432))
        for role in one.roles:
            found |= {(f"{one.name}/{role}", store, STORES[store]) for store in one.stores}
            found |= {(f"{one.name}/{role}", *SIMULATORS[name]) for name in one.outside if name in SIMULATORS}
    return found


def connections(rendered: list[objects.Object]) -> Connections:
    return reachability.connections(rendered, rendering.NAMESPACE, (PROMETHEUS, STRANGER, NEIGHBOUR))


def policy(rendered: list[objects.Object], name: str) -> dict[str, Any]:
    spec: dict[str, Any] = next(
        item["spec"] for item in objects.of_kind(rendered, "NetworkPolicy") if item["metadata"]["name"] == name
    )
    return spec


@pytest.mark.parametrize("case", ["defaults", "production", "production with operators", "Istio", "Linkerd"])
def test_exactly_the_contracts_callers_get_through(case: str) -> None:
    rendered = rendering.rendered(*rendering.CASES[case])
    assert connections(rendered) == calls() | scrapes() | visits()


def test_a_development_release_opens_its_own_servers_to_who_uses_them() -> None:
    rendered = rendering.rendered(*rendering.CASES["development"])
    assert connections(rendered) == calls() | scrapes() | visits() | development()


def test_whoever_may_call_by_an_access_rule_gets_through() -> None:
    open_now = connections(rendering.rendered(*rendering.DEFAULT))
    for method in CONTRACT.methods:
        for caller in filter(method.access.admits, REGISTRY.services.keys() - {method.service}):
            port = REGISTRY.services[method.service].port
            assert (f"{caller}/serve", f"{method.service}/serve", port) in open_now


def test_what_runs_in_the_name_of_the_release_is_shut_in_even_when_nobody_thought_of_it() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    labels = {"app.kubernetes.io/name": "souk", "app.kubernetes.io/instance": "souk", objects.COMPONENT: "forgotten"}
    forgotten = reachability.Pod("forgotten", rendering.NAMESPACE, labels, (9999,))
    rules = reachability.policies(rendered, rendering.NAMESPACE)
    assert not rules.open(NEIGHBOUR, forgotten, 9999)
    assert not rules.open(forgotten, reachability.Pod("world", "elsewhere", {}), 443)


def test_a_caller_too_many_is_noticed() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    peers = policy(rendered, "souk-payment-serve")["ingress"][0]["from"]
    peers[0]["podSelector"]["matchLabels"].pop(objects.COMPONENT)
    policy(rendered, "souk-order-work")["egress"].append({"ports": [{"port": 50055, "protocol": "TCP"}]})
    assert connections(rendered) - calls() - scrapes() - visits() == {("order/work", "payment/serve", 50055)}


def test_a_caller_too_few_is_noticed() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    peer = policy(rendered, "souk-catalog-serve")["ingress"][0]["from"].pop()
    forgotten = peer["podSelector"]["matchLabels"][objects.COMPONENT]
    missing = calls() - connections(rendered)
    assert {(sender.partition("/")[0], receiver) for sender, receiver, _ in missing} == {(forgotten, "catalog/serve")}


def test_without_the_default_deny_a_forgotten_pod_is_noticed() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    kept = [item for item in rendered if item["metadata"]["name"] != "souk-default-deny"]
    labels = {"app.kubernetes.io/name": "souk", "app.kubernetes.io/instance": "souk"}
    forgotten = reachability.Pod("forgotten", rendering.NAMESPACE, labels, (9999,))
    assert reachability.policies(kept, rendering.NAMESPACE).open(NEIGHBOUR, forgotten, 9999)
