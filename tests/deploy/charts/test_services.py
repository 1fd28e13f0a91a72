"""What the one loop over the registry gives each service."""

from typing import Any

import pytest

from services import registry
from services.chassis.rpc import server
from tests.deploy.charts import objects, rendering

REGISTRY = registry.load()
SERVICES = [pytest.param(one, id=one.name) for one in REGISTRY.services.values()]
Objects = list[objects.Object]


def render(*more: str, values: tuple[str, ...] = rendering.DEFAULT) -> Objects:
    return rendering.rendered(*values, *more)


def find(rendered: Objects, kind: str, name: str) -> Any:
    return next((one for one in rendered if (one["kind"], one["metadata"]["name"]) == (kind, f"souk-{name}")), None)


def pod(rendered: Objects, name: str) -> Any:
    return find(rendered, "Deployment", name)["spec"]["template"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_all_that_it_needs_in_each_of_its_roles(service: registry.Service) -> None:
    rendered = render()
    for role in service.roles:
        container = pod(rendered, f"{service.name}-{role}")["spec"]["containers"][0]
        assert container["args"] == [service.name, "--role", role]
        assert container["envFrom"] == [{"configMapRef": {"name": f"souk-{service.name}"}}]
        for kind in ("Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"):
            assert find(rendered, kind, f"{service.name}-{role}")
    headless = find(rendered, "Service", service.name)["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["ports"][0]["port"] == service.port
    assert headless["selector"]["souk.dev/role"] == "serve"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_where_everything_is_and_its_secrets_only_as_files(service: registry.Service) -> None:
    data = find(render(), "ConfigMap", service.name)["data"]
    prefix = service.name.upper()
    assert data[f"{prefix}_LISTEN"] == f"0.0.0.0:{service.port}"
    assert data["METRICS_LISTEN"] == f"0.0.0.0:{service.metrics_port}"
    assert data["HEALTH_LISTEN"] == "0.0.0.0:50040"
    assert data["MESH_TLS_DIR"] == "/tls"
    for other in service.calls:
        host = f"souk-{other}.{rendering.NAMESPACE}.svc.cluster.local"
        assert data[f"{other.upper()}_ADDR"] == f"{host}:{REGISTRY.services[other].port}"
    if "postgres" in service.stores:
        assert data[f"{prefix}_DATABASE_URL_FILE"] == f"/secrets/{service.name}-database/url"
        assert f"{prefix}_DATABASE_URL" not in data
    assert ("REDIS_URL_FILE" in data) == ("redis" in service.stores)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_mounts_its_own_secrets_and_no_others(service: registry.Service) -> None:
    rendered = render()
    mounted = {
        volume["secret"]["secretName"].removeprefix("souk-")
        for volume in pod(rendered, f"{service.name}-serve")["spec"]["volumes"]
        if "secret" in volume
    }
    databases = {name for name in mounted if name.endswith(("-database", "-migration", "-tls"))}
    own = {f"{service.name}-tls"} | ({f"{service.name}-database"} if "postgres" in service.stores else set())
    assert databases == own
    assert ("signing" in mounted) == (service.name == "user")


def test_a_pod_ends_after_its_drain_and_before_it_is_killed() -> None:
    spec = pod(render(), "order-serve")["spec"]
    away = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    # The server's own drain, and what the parts behind it may take: effects under way 10 s, producers 5 s.
    assert spec["terminationGracePeriodSeconds"] >= away + server.LOOK_AWAY_S + 2 * server.DRAIN_S + 15


def test_probes_ask_for_life_and_for_readiness_by_their_own_names() -> None:
    container = pod(render(), "order-work")["spec"]["containers"][0]
    assert container["startupProbe"]["grpc"] == {"port": 50040, "service": "live"}
    assert container["readinessProbe"]["grpc"] == {"port": 50040, "service": ""}
    assert container["livenessProbe"]["grpc"] == {"port": 50040, "service": "live"}


def test_serve_scales_by_cpu_and_by_calls_when_an_adapter_counts_them() -> None:
    metrics = find(render(), "HorizontalPodAutoscaler", "order-serve")["spec"]["metrics"]
    assert [(one["type"], one["resource"]["target"]["averageUtilization"]) for one in metrics] == [("Resource", 65)]
    more = render("--set", "autoscaling.requestRate.enabled=true")
    metrics = find(more, "HorizontalPodAutoscaler", "order-serve")["spec"]["metrics"]
    assert metrics[1]["pods"]["metric"]["name"] == "souk_rpc_per_second"
    assert metrics[1]["pods"]["target"] == {"type": "AverageValue", "averageValue": "200"}


def test_scaling_is_fast_up_and_slow_down() -> None:
    behaviour = find(render(), "HorizontalPodAutoscaler", "order-serve")["spec"]["behavior"]
    assert behaviour["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behaviour["scaleDown"]["stabilizationWindowSeconds"] == 300
    up, down = (max(policy["value"] for policy in behaviour[way]["policies"]) for way in ("scaleUp", "scaleDown"))
    assert up >= 100
    assert down <= 10


@pytest.mark.parametrize("service", SERVICES)
def test_work_scales_by_the_lag_of_every_topic_it_consumes_where_keda_is(service: registry.Service) -> None:
    rendered = render(*rendering.OPERATORS)
    scaled = find(rendered, "ScaledObject", f"{service.name}-work")
    assert bool(scaled) == bool(service.consumes)
    by_cpu = "work" in service.roles and not service.consumes
    assert bool(find(rendered, "HorizontalPodAutoscaler", f"{service.name}-work")) == by_cpu
    if scaled:
        assert {one["metricType"] for one in scaled["spec"]["triggers"] if one["type"] == "kafka"} == {"AverageValue"}
        lag = [trigger["metadata"] for trigger in scaled["spec"]["triggers"] if trigger["type"] == "kafka"]
        assert [(one["consumerGroup"], one["topic"]) for one in lag] == [
            (service.name, topic) for topic in service.consumes
        ]
        most = max(REGISTRY.topics[topic].partitions for topic in service.consumes)
        assert scaled["spec"]["maxReplicaCount"] == most


def test_keda_signs_in_the_way_the_services_do() -> None:
    scram = render(*rendering.OPERATORS)
    trigger = find(scram, "ScaledObject", "order-work")["spec"]["triggers"][0]
    assert trigger["metadata"]["sasl"] == "scram_sha512"
    assert trigger["authenticationRef"] == {"name": "souk-order-kafka"}
    assert find(scram, "TriggerAuthentication", "order-kafka")["spec"]["secretTargetRef"] == [
        {"parameter": key, "name": "souk-order-kafka", "key": key} for key in ("username", "password")
    ]
    iam = render(*rendering.OPERATORS, values=("-f", rendering.AWS))
    trigger = find(iam, "ScaledObject", "order-work")["spec"]["triggers"][0]
    assert trigger["metadata"]["saslTokenProvider"] == "aws_msk_iam"
    assert find(iam, "TriggerAuthentication", "kafka")["spec"]["podIdentity"] == {"provider": "aws"}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_with_topics_signs_in_at_the_brokers_as_its_own_user(service: registry.Service) -> None:
    if not service.on_kafka:
        return
    secret = f"souk-{service.name}-kafka"
    rendered = render(values=rendering.CASES["production with SCRAM"])
    [entry] = [one for one in objects.of_kind(rendered, "ExternalSecret") if one["metadata"]["name"] == secret]
    assert entry["spec"]["dataFrom"] == [{"extract": {"key": f"souk/prod/{service.name}-kafka"}}]
    for role in service.roles:
        spec = find(rendered, "Deployment", f"{service.name}-{role}")["spec"]["template"]["spec"]
        mounted = [one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one]
        assert [name for name in mounted if name.endswith("-kafka")] == [secret]
    configured = find(rendered, "ConfigMap", service.name)["data"]
    assert configured["KAFKA_USERNAME_FILE"] == f"/secrets/{service.name}-kafka/username"


def test_pods_are_replaced_when_their_own_configuration_changes_and_only_then() -> None:
    def sums(*more: str) -> dict[str, str]:
        found = objects.workloads(render(*more))
        return {
            one.title: one.object["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            for one in found
            if one.kind == "Deployment"
        }

    before, after = sums(), sums("--set", "services.order.environment.GATHER_S=0.1")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"Deployment souk-order-serve", "Deployment souk-order-work"}


def test_a_new_version_of_the_chart_alone_replaces_no_pod() -> None:
    labels = pod(render(), "order-serve")["metadata"]["labels"]
    assert not {"app.kubernetes.io/version", "helm.sh/chart"} & labels.keys()


def test_one_service_may_have_an_image_of_its_own() -> None:
    digest = "sha256:" + "a" * 64
    rendered = render("--set", f"services.payment.image.digest={digest},images.services.tag=1.4.0,imageRegistry=ecr")
    assert pod(rendered, "payment-work")["spec"]["containers"][0]["image"] == f"ecr/souk/services@{digest}"
    assert pod(rendered, "order-work")["spec"]["containers"][0]["image"] == "ecr/souk/services:1.4.0"
    job = find(rendered, "Job", "migrate-payment")["spec"]["template"]["spec"]["containers"][0]
    assert job["image"] == f"ecr/souk/services@{digest}"


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_an_account_of_its_own_and_no_token_of_the_cluster(service: registry.Service) -> None:
    rendered = render()
    account = find(rendered, "ServiceAccount", service.name)
    assert account["automountServiceAccountToken"] is False
    assert "annotations" not in account["metadata"]
    for role in service.roles:
        assert pod(rendered, f"{service.name}-{role}")["spec"]["serviceAccountName"] == f"souk-{service.name}"


# The agent of EKS Pod Identity, on the pod's own node.
AGENT = {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}, {"ipBlock": {"cidr": "fd00:ec2::23/128"}}]}


def test_who_has_a_role_of_aws_gets_its_credentials_on_its_node_and_goes_nowhere_else_for_them() -> None:
    rendered = render(values=("-f", rendering.AWS))
    for service in REGISTRY.services.values():
        for role in service.roles:
            rules = find(rendered, "NetworkPolicy", f"{service.name}-{role}")["spec"]["egress"]
            asked = [rule for rule in rules if {"to": rule.get("to")} == AGENT]
            signs_in = (role == "work" and service.on_kafka) or {"s3", "sns"} & set(service.outside)
            assert bool(asked) == bool(signs_in), f"{service.name}-{role}"
            assert all(port["port"] == 80 for rule in asked for port in rule["ports"])
            # To the world goes who talks to somebody outside, and nobody for the sake of a role.
            world = [rule for rule in rules if _open_to_the_world(rule)]
            assert len(world) == len(set(service.outside) - {"opensearch", "openid", "sns"}), f"{service.name}-{role}"


def _open_to_the_world(rule: dict[str, Any]) -> bool:
    return "to" not in rule or any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in rule["to"])


def test_the_job_that_makes_topics_signs_in_with_its_account_where_brokers_know_roles() -> None:
    rendered = render(values=("-f", rendering.AWS))
    assert find(rendered, "ServiceAccount", "topics")["metadata"]["annotations"].keys() >= {"helm.sh/hook"}
    assert find(rendered, "Job", "topics")["spec"]["template"]["spec"]["serviceAccountName"] == "souk-topics"
    rules = find(rendered, "NetworkPolicy", "topics")["spec"]["egress"]
    assert any({"to": rule.get("to")} == AGENT for rule in rules)
    assert not any(_open_to_the_world(rule) for rule in rules if rule.get("ports", [{}])[0].get("port") == 443)
    assert find(render(), "ServiceAccount", "topics") is None


def test_prometheus_is_told_of_every_service_when_its_operator_is_there() -> None:
    assert not list(objects.of_kind(render(), "ServiceMonitor"))
    rendered = render(*rendering.OPERATORS)
    for service in REGISTRY.services.values():
        chosen = find(rendered, "ServiceMonitor", service.name)["spec"]["selector"]
        found = [one for one in objects.of_kind(rendered, "Service") if _labelled(one, chosen)]
        assert [one["metadata"]["name"] for one in found] == [f"souk-{service.name}-metrics"]


def _labelled(item: objects.Object, selector: dict[str, Any]) -> bool:
    return objects.selects(selector, item["metadata"]["labels"])
