"""The edge's own objects: a load balancer for REST and gRPC, routes of the Gateway API, and how a pod of it ends."""

import re
from typing import Any

import pytest

from gateway.envoy import listener, routes
from scripts.generate.chart import package
from services import registry
from tests.deploy.charts import objects, rendering

ALB = "alb.ingress.kubernetes.io"


def ingresses() -> dict[str, Any]:
    rendered = rendering.rendered(*rendering.CASES["production"])
    return {one["metadata"]["name"].rpartition("-")[2]: one for one in objects.of_kind(rendered, "Ingress")}


def test_rest_and_grpc_share_one_load_balancer_and_have_a_target_group_each() -> None:
    rest, grpc = ingresses()["http"], ingresses()["grpc"]
    for one in (rest, grpc):
        assert one["metadata"]["annotations"][f"{ALB}/group.name"] == "souk"
        assert one["metadata"]["annotations"][f"{ALB}/listen-ports"] == '[{"HTTPS": 443}]'
        assert one["metadata"]["annotations"][f"{ALB}/certificate-arn"].startswith("arn:aws:acm:")
    assert rest["metadata"]["annotations"][f"{ALB}/backend-protocol-version"] == "HTTP1"
    assert grpc["metadata"]["annotations"][f"{ALB}/backend-protocol-version"] == "GRPC"


def test_grpc_goes_by_its_content_type_before_rest_is_asked() -> None:
    rest, grpc = ingresses()["http"]["metadata"]["annotations"], ingresses()["grpc"]["metadata"]["annotations"]
    assert int(grpc[f"{ALB}/group.order"]) < int(rest[f"{ALB}/group.order"])
    assert '"values":["application/grpc","application/grpc+*"]' in grpc[f"{ALB}/conditions.souk-edge"]
    paths = [path["path"] for path in ingresses()["grpc"]["spec"]["rules"][0]["http"]["paths"]]
    assert len(paths) == len(registry.load().services)
    assert "/souk.order.v1.OrderService/*" in paths


def test_a_pod_of_the_edge_serves_until_the_load_balancer_has_let_go() -> None:
    rendered = rendering.rendered(*rendering.CASES["production"])
    edge = next(one for one in objects.workloads(rendered) if one.title == "Deployment souk-edge")
    away = edge.spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    attributes = ingresses()["http"]["metadata"]["annotations"][f"{ALB}/target-group-attributes"]
    assert f"deregistration_delay.timeout_seconds={away}" in attributes
    assert edge.spec["terminationGracePeriodSeconds"] > away


def test_the_load_balancer_closes_an_idle_connection_before_the_edge_does_and_after_a_silent_stream_ends() -> None:
    for one in ingresses().values():
        attributes = dict(
            pair.split("=") for pair in one["metadata"]["annotations"][f"{ALB}/load-balancer-attributes"].split(",")
        )
        assert routes.STREAM_IDLE_S < int(attributes["idle_timeout.timeout_seconds"]) < listener.CONNECTION_IDLE_S


@pytest.mark.parametrize("guarded", ["true", "false"])
def test_the_load_balancer_refuses_to_be_deleted_where_it_is_said_and_writes_down_requests_where_there_is_a_bucket(
    guarded: str,
) -> None:
    chosen = f"edge.ingress.deletionProtection={guarded},edge.ingress.accessLogs.bucket=souk-logs"
    items = rendering.rendered(*rendering.CASES["production"], "--set", chosen)
    told = {
        one["metadata"]["annotations"]["alb.ingress.kubernetes.io/load-balancer-attributes"]
        for one in objects.of_kind(items, "Ingress")
    }
    # Both Ingresses are one load balancer: the controller refuses two words for one attribute.
    (attributes,) = told
    assert f"deletion_protection.enabled={guarded}," in attributes
    assert "access_logs.s3.enabled=true,access_logs.s3.bucket=souk-logs,access_logs.s3.prefix=souk" in attributes
    plain = rendering.rendered(*rendering.CASES["production"])
    assert "access_logs" not in str(objects.of_kind(plain, "Ingress"))


def test_the_manuals_mail_server_is_one_that_a_service_may_reach() -> None:
    manual = (package.ROOT / "docs" / "aws.md").read_text()
    named = {int(port) for port in re.findall(r"smtps?://[^\s\"']+:(\d+)", manual)}
    rendered = rendering.rendered(*rendering.CASES["production"])
    work = next(
        one for one in objects.of_kind(rendered, "NetworkPolicy") if one["metadata"]["name"] == "souk-notification-work"
    )
    allowed = {port["port"] for rule in work["spec"]["egress"] for port in rule.get("ports", [])}
    assert named
    assert named <= allowed


def test_without_origins_no_browser_of_another_origin_may_call() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    data = next(one["data"] for one in objects.of_kind(rendered, "ConfigMap") if one["metadata"]["name"] == "souk-edge")
    assert data["EDGE_ALLOWED_ORIGINS"] == ","
    assert {name for name in data if name.endswith("_ADDR")} == {
        f"{name.upper()}_ADDR" for name in registry.load().services
    }


def test_the_gateway_api_gets_a_route_for_each_protocol() -> None:
    rendered = rendering.rendered(*rendering.DEFAULT, *rendering.GATEWAY)
    routes = {one["kind"]: one["spec"] for one in objects.of_kind(rendered, "GRPCRoute", "HTTPRoute")}
    assert set(routes) == {"GRPCRoute", "HTTPRoute"}
    for spec in routes.values():
        assert spec["parentRefs"][0]["name"] == "public"
        assert spec["rules"][0]["backendRefs"] == [{"name": "souk-edge", "port": 80}]
    services = {match["method"]["service"] for match in routes["GRPCRoute"]["rules"][0]["matches"]}
    assert "souk.order.v1.OrderService" in services
