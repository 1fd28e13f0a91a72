"""A canary beside a release: what it has and has not, that the two do not meet, and how the load balancer tells them apart."""

import json
from typing import Any

import pytest

from services import registry
from tests.deploy.charts import objects, reachability, rendering

REGISTRY = registry.load()
ALB = "alb.ingress.kubernetes.io"
CANARY = "souk-canary"


@pytest.fixture(scope="module")
def canary() -> list[objects.Object]:
    return rendering.rendered(*rendering.CASES["a canary"], release=CANARY)


@pytest.fixture(scope="module")
def release() -> list[objects.Object]:
    return rendering.rendered(*rendering.CASES["production with operators"])


def test_it_is_the_edge_and_the_serve_side_of_every_service(canary: list[objects.Object]) -> None:
    deployed = {item["metadata"]["name"] for item in objects.of_kind(canary, "Deployment")}
    serving = {f"{CANARY}-{one.name}-serve" for one in REGISTRY.services.values() if "serve" in one.roles}
    assert deployed == serving | {f"{CANARY}-edge"}
    assert not list(
        objects.of_kind(canary, "ScaledObject", "TriggerAuthentication", "Ingress", "GRPCRoute", "HTTPRoute")
    )


def test_its_databases_and_topics_are_made_ready_before_it_starts(canary: list[objects.Object]) -> None:
    hooks = {
        item["metadata"]["name"]
        for item in objects.of_kind(canary, "Job")
        if "pre-install" in item["metadata"]["annotations"]["helm.sh/hook"]
    }
    kept = {f"{CANARY}-migrate-{one.name}" for one in REGISTRY.services.values() if "postgres" in one.stores}
    assert kept | {f"{CANARY}-topics"} <= hooks


def test_it_calls_nobody_but_itself(canary: list[objects.Object]) -> None:
    for item in objects.of_kind(canary, "ConfigMap"):
        told = {name: value for name, value in item["data"].items() if name.endswith("_ADDR")}
        assert all(value.startswith(f"{CANARY}-") for value in told.values()), item["metadata"]["name"]


def test_no_packet_passes_between_the_two_but_their_stores(
    release: list[objects.Object], canary: list[objects.Object]
) -> None:
    space = rendering.NAMESPACE
    both = reachability.Policies(space, list(objects.of_kind([*release, *canary], "NetworkPolicy")))
    old, new = reachability.pods(release, space), reachability.pods(canary, space)
    asked = [(one, other) for one in old for other in new] + [(one, other) for one in new for other in old]
    met = {
        (one.name, other.name, port)
        for one, other in asked
        for port in other.ports
        # Edges take requests from wherever the load balancer may be.
        if other.name != "edge" and both.open(one, other, port)
    }
    assert met == set()


def test_the_load_balancer_knows_both_edges_and_gives_the_canary_nothing(release: list[objects.Object]) -> None:
    services = {item["metadata"]["name"]: item["spec"] for item in objects.of_kind(release, "Service")}
    ingresses = list(objects.of_kind(release, "Ingress"))
    assert len(ingresses) == 2
    for ingress in ingresses:
        # Each backend is the action that is called as the release's own edge.
        backends = [path["backend"]["service"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]
        assert {(backend["name"], backend["port"]["name"]) for backend in backends} == {("souk-edge", "use-annotation")}
        action = json.loads(ingress["metadata"]["annotations"][f"{ALB}/actions.souk-edge"])
        assert action["type"] == "forward"
        groups = action["forwardConfig"]["targetGroups"]
        assert [(group["serviceName"], group["weight"]) for group in groups] == [
            ("souk-edge", 100),
            ("souk-edge-canary", 0),
        ]
        for group in groups:
            assert group["servicePort"] in {port["name"] for port in services[group["serviceName"]]["ports"]}


def test_what_the_load_balancer_calls_the_canary_is_the_canarys_edge_and_nothing_else(
    release: list[objects.Object], canary: list[objects.Object]
) -> None:
    service = next(one for one in objects.of_kind(release, "Service") if one["metadata"]["name"] == "souk-edge-canary")
    chosen = {"matchLabels": service["spec"]["selector"]}
    found = [one.title for one in objects.workloads([*release, *canary]) if objects.selects(chosen, one.labels)]
    assert found == [f"Deployment {CANARY}-edge"]


def test_a_release_without_the_value_has_neither() -> None:
    plain = rendering.rendered(*rendering.CASES["production"], "--set", "edge.ingress.canary=")
    assert "canary" not in str(list(objects.of_kind(plain, "Service", "Ingress")))
    ports: set[Any] = {
        path["backend"]["service"]["port"]["name"]
        for ingress in objects.of_kind(plain, "Ingress")
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    assert ports == {"http"}
