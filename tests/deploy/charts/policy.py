"""What every rendered pod must be: confined, bounded, watched, spread, and replaced without being missed.

Each check takes all objects of a rendering and answers with what is wrong, a line each.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.chassis.rpc import server
from tests.deploy.charts import objects
from tests.deploy.charts.objects import Object, Workload

LABELS = ("name", "instance", "component", "part-of", "version", "managed-by")
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
# What the restricted pod security standard lets a pod mount.
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# The server waits for calls under way, then for those that its library does not wait for.
DRAIN_S = server.LOOK_AWAY_S + 2 * server.DRAIN_S
DEVELOPMENT = "souk.dev/development"
_SECRET_NAME = re.compile(r"(PASSWORD|SECRET|_TOKEN|_KEY|DATABASE_URL)$")
_CREDENTIALS = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")

Check = Callable[[Sequence[Object]], Iterator[str]]


def problems(rendered: Sequence[Object]) -> list[str]:
    """All that is wrong with a rendering."""
    return [problem for check in CHECKS for problem in check(rendered)]


def confined(rendered: Sequence[Object]) -> Iterator[str]:
    """Pods keep to the restricted pod security standard, with a root file system that cannot be written."""
    for workload in objects.workloads(rendered):
        security = workload.spec.get("securityContext", {})
        if not security.get("runAsNonRoot") or not security.get("runAsUser"):
            yield f"{workload.title}: may run as root"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{workload.title}: has no seccomp profile"
        if any(workload.spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{workload.title}: shares a namespace of its host"
        for volume in workload.spec.get("volumes", ()):
            if not volume.keys() - {"name"} <= VOLUMES:
                yield f"{workload.title}: mounts {volume}"
        for container in workload.containers:
            yield from (f"{workload.title}: {container['name']} {what}" for what in _loose(container))


def _loose(container: Mapping[str, Any]) -> Iterator[str]:
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False or security.get("privileged"):
        yield "may become more than it is"
    if not security.get("readOnlyRootFilesystem"):
        yield "may write to its root file system"
    capabilities = security.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
        yield "keeps capabilities"
    if any("hostPort" in port for port in container.get("ports", ())):
        yield "takes a port of its host"


def without_tokens(rendered: Sequence[Object]) -> Iterator[str]:
    """Only who is bound to a role gets a token for the Kubernetes API."""
    bound = {
        subject["name"]
        for binding in objects.of_kind(rendered, "RoleBinding", "ClusterRoleBinding")
        for subject in binding["subjects"]
    }
    for workload in objects.workloads(rendered):
        mounted = workload.spec.get("automountServiceAccountToken", True)
        if mounted and workload.spec.get("serviceAccountName") not in bound:
            yield f"{workload.title}: has a token for the Kubernetes API and no use for it"


def bounded(rendered: Sequence[Object]) -> Iterator[str]:
    """Containers say what they need, and how much memory they may take at most."""
    for workload in objects.workloads(rendered):
        for container in workload.containers:
            resources = container.get("resources", {})
            missing = [
                f"{kind}.{name}"
                for kind, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
                if not resources.get(kind, {}).get(name)
            ]
            if missing:
                yield f"{workload.title}: {container['name']} has no {', '.join(missing)}"


def watched(rendered: Sequence[Object]) -> Iterator[str]:
    """The kubelet asks whether a container has started, takes work and lives, on a port that it has."""
    for workload in objects.workloads(rendered):
        if workload.lasting:
            for container in workload.containers:
                yield from (f"{workload.title}: {container['name']} {what}" for what in _unwatched(container))


def _unwatched(container: Mapping[str, Any]) -> Iterator[str]:
    ports = container.get("ports", ())
    known = {port["containerPort"] for port in ports} | {port.get("name") for port in ports}
    for name in PROBES:
        probe = container.get(name)
        if not probe:
            yield f"has no {name}"
        for how in ("grpc", "httpGet", "tcpSocket"):
            if probe and how in probe and probe[how]["port"] not in known:
                yield f"is asked by {name} on a port it does not have"


def spread(rendered: Sequence[Object]) -> Iterator[str]:
    """The pods of a Deployment are spread over zones and hosts."""
    for workload in objects.workloads(rendered):
        if workload.kind != "Deployment":
            continue
        over = {
            constraint["topologyKey"]
            for constraint in workload.spec.get("topologySpreadConstraints", ())
            if objects.selects(constraint.get("labelSelector"), workload.labels) and constraint["maxSkew"] == 1
        }
        for key in (ZONE, HOST):
            if key not in over:
                yield f"{workload.title}: is not spread over {key}"


def disruptable(rendered: Sequence[Object]) -> Iterator[str]:
    """Exactly one disruption budget covers a workload, and it lets a drain go on."""
    budgets = list(objects.of_kind(rendered, "PodDisruptionBudget"))
    for workload in objects.workloads(rendered):
        if not workload.lasting:
            continue
        own = [budget for budget in budgets if objects.selects(budget["spec"].get("selector"), workload.labels)]
        if len(own) != 1:
            yield f"{workload.title}: {len(own)} disruption budgets cover it"
        for budget in own:
            if not budget["spec"].get("maxUnavailable"):
                yield f"{workload.title}: its disruption budget lets nobody drain a node"


def replaced_gently(rendered: Sequence[Object]) -> Iterator[str]:
    """A roll-out takes no pod before another is there, and a pod has the time that its drain takes."""
    for workload in objects.workloads(rendered):
        if workload.kind != "Deployment":
            continue
        strategy = workload.object["spec"].get("strategy", {})
        if strategy.get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{workload.title}: a roll-out may take away pods first"
        away = max(_looks_away(container) for container in workload.containers)
        needed = away + (DRAIN_S if "grpc" in str(workload.containers[0].get("startupProbe")) else 0)
        if workload.spec.get("terminationGracePeriodSeconds", 30) <= needed:
            yield f"{workload.title}: is killed within the {needed:.0f} s that its drain may take"
        if workload.labels.get(objects.ROLE) != "work" and not away:
            yield f"{workload.title}: stops before callers look away"


def _looks_away(container: Mapping[str, Any]) -> float:
    return float(container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0))


def versioned(rendered: Sequence[Object]) -> Iterator[str]:
    """An image says which version it is."""
    for workload in objects.workloads(rendered):
        for container in workload.containers:
            image = container["image"]
            tag = image.rpartition("/")[2].partition(":")[2]
            if "@sha256:" not in image and tag in ("", "latest"):
                yield f"{workload.title}: {image} may be anything"


def without_secrets(rendered: Sequence[Object]) -> Iterator[str]:
    """No secret stands in the manifests; those of a development cluster are made anew for each."""
    for secret in objects.of_kind(rendered, "Secret"):
        if DEVELOPMENT not in secret["metadata"].get("labels", {}):
            yield f"{objects.title(secret)}: is part of the release"
    for owner, name, value in _variables(rendered):
        secret_like = _SECRET_NAME.search(name) and value
        if secret_like or _CREDENTIALS.search(value) or _PRIVATE_KEY.search(value):
            yield f"{owner}: {name} is a secret in plain text"


def _variables(rendered: Sequence[Object]) -> Iterator[tuple[str, str, str]]:
    for config in objects.of_kind(rendered, "ConfigMap"):
        yield from ((objects.title(config), name, str(value)) for name, value in config.get("data", {}).items())
    for workload in objects.workloads(rendered):
        for container in workload.containers:
            for variable in container.get("env", ()):
                yield workload.title, variable["name"], str(variable.get("value", ""))


def labelled(rendered: Sequence[Object]) -> Iterator[str]:
    """Everything has the standard labels, and selectors hold on to none that a new version changes."""
    for item in rendered:
        labels = item["metadata"].get("labels", {})
        missing = [name for name in LABELS if f"app.kubernetes.io/{name}" not in labels]
        if missing and item["kind"] != "Pod":
            yield f"{objects.title(item)}: has no label {', '.join(missing)}"
    for workload in objects.workloads(rendered):
        selector = workload.object["spec"].get("selector", {})
        if workload.lasting and not objects.selects(selector, workload.labels):
            yield f"{workload.title}: does not select its own pods"
        if {"app.kubernetes.io/version", "helm.sh/chart"} & selector.get("matchLabels", {}).keys():
            yield f"{workload.title}: selects by a version, which cannot be upgraded"


def scaled(rendered: Sequence[Object]) -> Iterator[str]:
    """An autoscaler has a target, which does not fix its replicas, and room to scale."""
    deployments = {item["metadata"]["name"]: item for item in objects.of_kind(rendered, "Deployment")}
    for scaler in objects.of_kind(rendered, "HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler["spec"]
        target = deployments.get(spec["scaleTargetRef"]["name"])
        least = spec.get("minReplicas", spec.get("minReplicaCount"))
        most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
        if target is None:
            yield f"{objects.title(scaler)}: scales nothing"
        elif "replicas" in target["spec"]:
            yield f"{objects.title(scaler)}: an upgrade undoes what it did, for its target fixes replicas"
        if not 1 <= least <= most:
            yield f"{objects.title(scaler)}: between {least} and {most} pods"


def complete(rendered: Sequence[Object]) -> Iterator[str]:
    """What pods and Services refer to exists: config maps, accounts, pods."""
    names = {(item["kind"], item["metadata"]["name"]) for item in rendered}
    for workload in objects.workloads(rendered):
        account = workload.spec.get("serviceAccountName")
        if account and ("ServiceAccount", account) not in names:
            yield f"{workload.title}: there is no account {account}"
        for container in workload.containers:
            for source in container.get("envFrom", ()):
                if ("ConfigMap", source["configMapRef"]["name"]) not in names:
                    yield f"{workload.title}: there is no config map {source['configMapRef']['name']}"
            volumes = {volume["name"] for volume in _volumes(workload)}
            unknown = {mount["name"] for mount in container.get("volumeMounts", ())} - volumes
            if unknown:
                yield f"{workload.title}: there is no volume {', '.join(sorted(unknown))}"
    for service in objects.of_kind(rendered, "Service"):
        instance = service["metadata"]["labels"]["app.kubernetes.io/instance"]
        if service["spec"].get("selector", {}).get("app.kubernetes.io/instance", instance) != instance:
            continue  # of a canary's edge (test_canary.py)
        chosen = {"matchLabels": service["spec"].get("selector", {})}
        if not any(objects.selects(chosen, workload.labels) for workload in objects.workloads(rendered)):
            yield f"{objects.title(service)}: selects no pod"


def _volumes(workload: Workload) -> Iterator[Mapping[str, Any]]:
    yield from workload.spec.get("volumes", ())
    for claim in workload.object["spec"].get("volumeClaimTemplates", ()):
        yield claim["metadata"]


CHECKS: tuple[Check, ...] = (
    confined,
    without_tokens,
    bounded,
    watched,
    spread,
    disruptable,
    replaced_gently,
    versioned,
    without_secrets,
    labelled,
    scaled,
    complete,
)
