"""Each rule for pods notices the mistake it is there for: one is planted in manifests that keep all of them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.charts import objects, policy, rendering
from tests.deploy.charts.objects import Object

Rendered = list[Object]
Plant = Callable[[Rendered], Any]


def find(rendered: Rendered, kind: str, name: str) -> Object:
    return next(item for item in rendered if (item["kind"], item["metadata"]["name"]) == (kind, name))


def deployment(rendered: Rendered) -> Object:
    return find(rendered, "Deployment", "souk-order-serve")


def pod(rendered: Rendered) -> dict[str, Any]:
    spec: dict[str, Any] = deployment(rendered)["spec"]["template"]["spec"]
    return spec


def container(rendered: Rendered) -> dict[str, Any]:
    first: dict[str, Any] = pod(rendered)["containers"][0]
    return first


def without(rendered: Rendered, kind: str, name: str) -> None:
    rendered.remove(find(rendered, kind, name))


def configuration(rendered: Rendered) -> dict[str, str]:
    data: dict[str, str] = find(rendered, "ConfigMap", "souk-order")["data"]
    return data


def password() -> dict[str, str]:
    return {"name": "SMTP_PASSWORD", "value": "hunter2"}


# What is planted, which check must notice it, and a word of what it says.
MISTAKES: dict[str, tuple[Plant, policy.Check, str]] = {
    "root": (lambda r: pod(r)["securityContext"].pop("runAsNonRoot"), policy.confined, "root"),
    "no seccomp": (lambda r: pod(r)["securityContext"].pop("seccompProfile"), policy.confined, "seccomp"),
    "the host's network": (lambda r: pod(r).update(hostNetwork=True), policy.confined, "namespace of its host"),
    "the host's files": (
        lambda r: pod(r)["volumes"].append({"name": "root", "hostPath": {"path": "/"}}),
        policy.confined,
        "hostPath",
    ),
    "a port of the host": (lambda r: container(r)["ports"][0].update(hostPort=80), policy.confined, "port of its host"),
    "privilege": (
        lambda r: container(r)["securityContext"].pop("allowPrivilegeEscalation"),
        policy.confined,
        "more than it is",
    ),
    "a writable root": (
        lambda r: container(r)["securityContext"].update(readOnlyRootFilesystem=False),
        policy.confined,
        "write",
    ),
    "a capability": (
        lambda r: container(r)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
        policy.confined,
        "capabilities",
    ),
    "a token": (lambda r: pod(r).pop("automountServiceAccountToken"), policy.without_tokens, "token"),
    "a binding less": (
        lambda r: without(r, "RoleBinding", "souk-certificates"),
        policy.without_tokens,
        "Job souk-certificates",
    ),
    "no memory limit": (lambda r: container(r)["resources"]["limits"].pop("memory"), policy.bounded, "limits.memory"),
    "no CPU request": (lambda r: container(r)["resources"]["requests"].pop("cpu"), policy.bounded, "requests.cpu"),
    "no probe": (lambda r: container(r).pop("readinessProbe"), policy.watched, "no readinessProbe"),
    "a probe of another port": (
        lambda r: container(r)["livenessProbe"]["grpc"].update(port=50041),
        policy.watched,
        "port it does not have",
    ),
    "no zones": (lambda r: pod(r)["topologySpreadConstraints"].pop(1), policy.spread, "topology.kubernetes.io/zone"),
    "somebody else's spread": (
        lambda r: pod(r)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update({objects.ROLE: "work"}),
        policy.spread,
        "kubernetes.io/hostname",
    ),
    "no budget": (
        lambda r: without(r, "PodDisruptionBudget", "souk-order-serve"),
        policy.disruptable,
        "0 disruption budgets",
    ),
    "a budget that blocks": (
        lambda r: find(r, "PodDisruptionBudget", "souk-order-serve")["spec"].update(maxUnavailable=0),
        policy.disruptable,
        "lets nobody drain",
    ),
    "a budget for both roles": (
        lambda r: find(r, "PodDisruptionBudget", "souk-order-work")["spec"]["selector"]["matchLabels"].pop(
            objects.ROLE
        ),
        policy.disruptable,
        "2 disruption budgets",
    ),
    "pods taken first": (
        lambda r: deployment(r)["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
        policy.replaced_gently,
        "take away pods first",
    ),
    "too little grace": (
        lambda r: pod(r).update(terminationGracePeriodSeconds=40),
        policy.replaced_gently,
        "killed within",
    ),
    "no preStop": (lambda r: container(r).pop("lifecycle"), policy.replaced_gently, "before callers look away"),
    "latest": (lambda r: container(r).update(image="souk/services:latest"), policy.versioned, "may be anything"),
    "no tag": (lambda r: container(r).update(image="registry:5000/souk/services"), policy.versioned, "may be anything"),
    "a password": (lambda r: container(r).update(env=[password()]), policy.without_secrets, "SMTP_PASSWORD"),
    "credentials in a URL": (
        lambda r: configuration(r).update(REDIS_URL="rediss://souk:hunter2@redis:6379"),
        policy.without_secrets,
        "REDIS_URL",
    ),
    "a private key": (
        lambda r: configuration(r).update(NOTE="-----BEGIN EC PRIVATE KEY-----\nMHc"),
        policy.without_secrets,
        "NOTE",
    ),
    "a secret": (
        lambda r: r.append({"kind": "Secret", "metadata": {"name": "s", "labels": {}}, "data": {"a": "Yg=="}}),
        policy.without_secrets,
        "Secret s",
    ),
    "no label": (
        lambda r: deployment(r)["metadata"]["labels"].pop("app.kubernetes.io/component"),
        policy.labelled,
        "component",
    ),
    "a version in the selector": (
        lambda r: deployment(r)["spec"]["selector"]["matchLabels"].update({"helm.sh/chart": "souk-1"}),
        policy.labelled,
        "cannot be upgraded",
    ),
    "fixed replicas": (lambda r: deployment(r)["spec"].update(replicas=2), policy.scaled, "fixes replicas"),
    "nothing to scale": (lambda r: without(r, "Deployment", "souk-order-serve"), policy.scaled, "scales nothing"),
    "no room": (
        lambda r: find(r, "HorizontalPodAutoscaler", "souk-order-serve")["spec"].update(maxReplicas=1),
        policy.scaled,
        "between 2 and 1",
    ),
    "no account": (lambda r: without(r, "ServiceAccount", "souk-order"), policy.complete, "no account souk-order"),
    "no config map": (lambda r: without(r, "ConfigMap", "souk-order"), policy.complete, "no config map souk-order"),
    "no volume": (lambda r: pod(r)["volumes"].pop(0), policy.complete, "no volume tmp"),
    "a Service of nobody": (
        lambda r: find(r, "Service", "souk-order")["spec"]["selector"].update({objects.ROLE: "both"}),
        policy.complete,
        "selects no pod",
    ),
}


@pytest.mark.parametrize(("plant", "check", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_planted_mistake_is_noticed(plant: Plant, check: policy.Check, said: str) -> None:
    rendered = rendering.rendered(*rendering.DEFAULT)
    assert list(check(rendered)) == []
    plant(rendered)
    found = list(check(rendered))
    assert any(said in problem for problem in found), found


def test_every_check_has_a_mistake_that_it_notices() -> None:
    assert {check for _, check, _ in MISTAKES.values()} == set(policy.CHECKS)
