"""The files in k8s/ fit: quotas the chart's largest scale, alerts the metrics of the code, users the registry."""

import re
from decimal import Decimal
from typing import Any

import pytest
import yaml

from scripts.generate.chart import package
from services import registry
from tests.deploy.charts import objects, rendering

# What kube-state-metrics 2 tells, with its labels (its docs/metrics).
KUBE_STATE = {
    "kube_job_failed": ["namespace", "job_name", "condition"],
    "kube_cronjob_next_schedule_time": ["namespace", "cronjob"],
    "kube_horizontalpodautoscaler_status_current_replicas": ["namespace", "horizontalpodautoscaler"],
    "kube_horizontalpodautoscaler_spec_max_replicas": ["namespace", "horizontalpodautoscaler"],
}
K8S = package.ROOT / "k8s"
UNITS = {"m": Decimal("0.001"), "Ki": Decimal(1024), "Mi": Decimal(1024**2), "Gi": Decimal(1024**3), "": Decimal(1)}


def documents(name: str) -> list[dict[str, Any]]:
    return objects.parse((K8S / name).read_text())


def quantity(text: str | int) -> Decimal:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()  # type: ignore[union-attr]  # or the test fails
    return Decimal(number) * UNITS[unit]


def largest() -> dict[str, Decimal]:
    """What production may ask for at its largest scale, a roll-out of everything beside it."""
    rendered = rendering.rendered(*rendering.CASES["production"])
    scalers = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"]
        for one in objects.of_kind(rendered, "HorizontalPodAutoscaler")
    }
    asked = dict.fromkeys(("pods", "requests.cpu", "requests.memory", "limits.memory"), Decimal(0))
    for workload in objects.workloads(rendered):
        if workload.kind == "Deployment":
            pods = Decimal(scalers[workload.object["metadata"]["name"]]["maxReplicas"]) * Decimal("1.25")
            resources = workload.containers[0]["resources"]
            asked["pods"] += pods
            asked["requests.cpu"] += pods * quantity(resources["requests"]["cpu"])
            asked["requests.memory"] += pods * quantity(resources["requests"]["memory"])
            asked["limits.memory"] += pods * quantity(resources["limits"]["memory"])
    return asked


def test_the_quota_has_room_for_the_largest_scale_of_production() -> None:
    quota = next(one for one in documents("namespace.yaml") if one["kind"] == "ResourceQuota")["spec"]["hard"]
    for name, asked in largest().items():
        assert asked <= quantity(quota[name]), name


def test_karpenter_may_add_the_nodes_that_the_largest_scale_of_production_takes() -> None:
    (pool,) = [one for one in documents("karpenter/nodes.yaml") if one["kind"] == "NodePool"]
    assert largest()["requests.cpu"] <= quantity(pool["spec"]["limits"]["cpu"])


def test_the_namespace_admits_restricted_pods_only() -> None:
    labels = documents("namespace.yaml")[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_roll_out_of_the_edge_waits_for_the_load_balancer() -> None:
    labels = documents("namespace.yaml")[0]["metadata"]["labels"]
    assert labels["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"
    edge = rendering.rendered(*rendering.CASES["production"])
    annotations = [one["metadata"]["annotations"] for one in objects.of_kind(edge, "Ingress")]
    # The gate knows pods by their own addresses, not nodes.
    assert {one["alb.ingress.kubernetes.io/target-type"] for one in annotations} == {"ip"}


def test_the_priority_class_of_production_exists() -> None:
    values = yaml.safe_load((package.CHART / "values-aws.yaml").read_text())
    assert values["priorityClassName"] in {one["metadata"]["name"] for one in documents("priority-classes.yaml")}


def test_the_store_of_production_exists() -> None:
    values = yaml.safe_load((package.CHART / "values-aws.yaml").read_text())
    store = documents("external-secrets/store.yaml")[0]
    assert values["secrets"]["externalSecrets"]["store"] == {"name": store["metadata"]["name"], "kind": store["kind"]}


def test_alerts_ask_for_metrics_and_labels_that_the_code_has() -> None:
    known = metrics() | KUBE_STATE
    rules = documents("prometheus/rules.yaml")[0]["spec"]["groups"]
    expressions = [rule["expr"] for group in rules for rule in group["rules"]]
    assert len(expressions) >= 10
    for expression in expressions:
        names = re.findall(r"\b(?:souk|kube)_[a-z_]+", expression)
        assert names, expression
        for name in names:
            stem = re.sub(r"_(bucket|count|sum)$", "", name)
            assert name in known or stem in known, f"{name} is no metric"
        labels = {label for name in names for label in known.get(name) or known[re.sub(r"_(bucket|count)$", "", name)]}
        asked = set(re.findall(r"([a-z_]+)(?:=~|!~|!=|=)\"", expression))
        grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
        asked |= {word.strip() for group in grouped for word in group.split(",")}
        assert asked - {"le"} <= labels, expression


@pytest.mark.parametrize(
    ("what", "metric"),
    [
        ("Job", "kube_job_failed"),
        ("CronJob", "kube_cronjob_next_schedule_time"),
        ("HorizontalPodAutoscaler", "kube_horizontalpodautoscaler_spec_max_replicas"),
    ],
)
def test_somebody_is_told_of_jobs_that_fail_or_do_not_run_and_of_autoscalers_at_their_largest(
    what: str, metric: str
) -> None:
    namespace = documents("namespace.yaml")[0]["metadata"]["name"]
    groups = documents("prometheus/rules.yaml")[0]["spec"]["groups"]
    found = [rule["expr"] for group in groups for rule in group["rules"] if metric in rule["expr"]]
    assert len(found) == 1, what
    assert f'namespace="{namespace}"' in found[0]


def metrics() -> dict[str, list[str]]:
    """Metrics of the services, by name, with their labels, as the source says."""
    found = {}
    for path in (package.ROOT / "services").rglob("*.py"):
        for name, rest in re.findall(r"(?:Histogram|Gauge|Counter)\(\s*\"(souk_[a-z_]+)\"([^)]*)\)", path.read_text()):
            labels = re.search(r"\[([^\]]*)\]", rest)
            found[name] = re.findall(r"\"([a-z]+)\"", labels[1]) if labels else []
    return found


def test_the_adapter_serves_the_metric_that_the_autoscalers_ask_for() -> None:
    configured = yaml.safe_load(documents("prometheus/adapter.yaml")[0]["data"]["config.yaml"])["rules"][0]
    values = yaml.safe_load((package.CHART / "values.yaml").read_text())
    assert configured["name"]["as"] == values["autoscaling"]["requestRate"]["metric"]
    assert "souk_rpc_seconds" in metrics()


def test_a_user_of_kafka_may_do_what_the_registry_says_and_nothing_else() -> None:
    users = {one["metadata"]["name"]: one["spec"]["authorization"]["acls"] for one in documents("strimzi/users.yaml")}
    services = [service for service in registry.load().services.values() if service.on_kafka]
    assert set(users) == {service.name for service in services}
    for service in services:
        rights = {(acl["resource"]["type"], acl["resource"]["name"], *acl["operations"]) for acl in users[service.name]}
        topics = {("topic", name, "Describe", "Write") for name in service.publishes}
        topics |= {("topic", name, "Describe", "Read") for name in service.consumes}
        if service.consumes:
            topics.add(("topic", "dead-letter", "Describe", "Write"))
        groups = {("group", service.name, "Read")} if service.consumes else set()
        assert rights == topics | groups
