"""What Istio and Linkerd are told: the contract's callers by their accounts, and what their proxies need to be let through."""

from typing import Any

import pytest

from services import registry
from tests.deploy.charts import objects, reachability, rendering, test_reachability

ISTIO = ("Istio", "Istio around TLS of our own")
LINKERD_PROXY = 4143
Objects = list[objects.Object]


def find(rendered: Objects, kind: str, name: str) -> Any:
    return next(one for one in rendered if (one["kind"], one["metadata"]["name"]) == (kind, f"souk-{name}"))


@pytest.mark.parametrize("provider", ["istio", "linkerd"])
def test_a_mesh_lets_in_the_callers_of_the_contract_by_their_accounts(provider: str) -> None:
    rendered = rendering.rendered(*rendering.CASES[provider.title()])
    text = str(find(rendered, "AuthorizationPolicy" if provider == "istio" else "MeshTLSAuthentication", "catalog"))
    services = registry.load().services
    callers = {name for name, block in services.items() if "catalog" in block.calls}
    assert {"order", "cart"} <= callers < services.keys() - {"catalog", "payment"}
    others = {"edge", *services} - {"catalog"}
    assert {name for name in others if f"souk-{name}'" in text} == {"edge", *callers}


def test_istio_sees_methods_only_where_services_do_not_encrypt_themselves() -> None:
    plain = rendering.rendered(*rendering.CASES["Istio"])
    rules = find(plain, "AuthorizationPolicy", "catalog")["spec"]["rules"]
    paths = {
        rule["from"][0]["source"]["principals"][0].rpartition("/")[2]: rule["to"][0]["operation"] for rule in rules[:-1]
    }
    assert "/souk.catalog.v1.CatalogService/BatchGetOffers" in paths["souk-order"]["paths"]
    assert "/souk.catalog.v1.CatalogService/BatchGetOffers" not in paths["souk-edge"]["paths"]
    around = rendering.rendered(*rendering.CASES["Istio around TLS of our own"])
    rules = find(around, "AuthorizationPolicy", "catalog")["spec"]["rules"]
    assert all("paths" not in rule["to"][0]["operation"] for rule in rules)


def test_istio_keeps_away_from_pods_that_fail_and_bounds_connections() -> None:
    policy = find(rendering.rendered(*rendering.CASES["Istio"]), "DestinationRule", "order")["spec"]["trafficPolicy"]
    assert policy["outlierDetection"]["consecutive5xxErrors"] == 5
    assert policy["outlierDetection"]["maxEjectionPercent"] == 50
    assert policy["connectionPool"]["tcp"]["maxConnections"] == 1000


@pytest.mark.parametrize("case", ISTIO)
def test_exactly_one_peer_authentication_selects_a_meshed_pod(case: str) -> None:
    """Where there are two, Istio takes the older one: which that is nobody has said."""
    rendered = rendering.rendered(*rendering.CASES[case])
    policies = list(objects.of_kind(rendered, "PeerAuthentication"))
    for workload in objects.workloads(rendered):
        if workload.kind == "Deployment":
            own = [one for one in policies if objects.selects(one["spec"]["selector"], workload.labels)]
            assert len(own) == 1, workload.title
            assert own[0]["spec"]["mtls"] == {"mode": "STRICT"}


@pytest.mark.parametrize("case", ISTIO)
def test_istio_lets_in_without_an_identity_who_can_have_none(case: str) -> None:
    rendered = rendering.rendered(*rendering.CASES[case])
    assert _open_ports(find(rendered, "PeerAuthentication", "edge")) == {8080}
    for service in registry.load().services.values():
        plain = {service.metrics_port, 50040}
        assert _open_ports(find(rendered, "PeerAuthentication", service.name)) == plain
        anybody = find(rendered, "AuthorizationPolicy", service.name)["spec"]["rules"][-1]
        assert "from" not in anybody
        assert {int(port) for port in anybody["to"][0]["operation"]["ports"]} == plain


def _open_ports(policy: objects.Object) -> set[int]:
    ports = policy["spec"]["portLevelMtls"]
    return {int(port) for port, rule in ports.items() if rule["mode"] == "PERMISSIVE"}


def test_the_proxies_of_linkerd_reach_each_other_where_the_contract_has_calls_and_nowhere_else() -> None:
    """Between two meshed pods every call goes to the port of the other's proxy."""
    rendered = rendering.rendered(*rendering.CASES["Linkerd"])
    pods = reachability.pods(rendered, rendering.NAMESPACE)
    rules = reachability.policies(rendered, rendering.NAMESPACE)
    pairs = {(a.name, b.name) for a in pods for b in pods if a != b and rules.open(a, b, LINKERD_PROXY)}
    meshed = {(sender, receiver) for sender, receiver, _ in test_reachability.calls()}
    # Who may be called by anybody is the edge.
    assert {pair for pair in pairs if pair[1] != "edge"} == meshed


@pytest.mark.parametrize("case", ["production", "Istio"])
def test_no_other_mesh_opens_the_port_of_linkerds_proxies(case: str) -> None:
    assert str(LINKERD_PROXY) not in rendering.text(*rendering.CASES[case])
