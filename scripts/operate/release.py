"""A Helm release on a cluster as the API describes it: its deployments, autoscalers, budgets, jobs and what went wrong.

Everything of a release carries the label `app.kubernetes.io/instance`; its components are told by `app.kubernetes.io/component`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import kubernetes

ZONE = "topology.kubernetes.io/zone"
# Events older than this say nothing about now.
RECENT = dt.timedelta(hours=1)
Object = Any


@dataclass(frozen=True, slots=True)
class Rollout:
    """A Deployment, and where its pods are. `zones` counts ready pods by zone."""

    name: str
    wanted: int
    ready: int
    updated: int
    available: int
    observed: bool
    images: tuple[str, ...]
    zones: Mapping[str, int]
    restarts: int

    @property
    def complete(self) -> bool:
        """Tell whether every pod is of the newest template and available, and no other is left."""
        return self.observed and self.wanted == self.updated == self.available == self.ready


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler: its bounds, what it has, what it wants, and its metrics as `cpu 12%/65%`."""

    name: str
    least: int
    most: int
    current: int
    desired: int
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget: how many pods it covers, how many must be healthy and how many may be evicted now."""

    name: str
    pods: int
    healthy: int
    needed: int
    allowed: int


@dataclass(frozen=True, slots=True)
class Job:
    """A Job: `complete`, `failed` or `running`, and since when or for how long."""

    name: str
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Warned:
    """An event of type Warning: about what, why, how often and how many seconds ago last."""

    about: str
    reason: str
    message: str
    times: int
    age: float


@dataclass(frozen=True, slots=True)
class Revision:
    """What Helm recorded last about the release: its number and status; 0 and `unknown` when there is no record."""

    number: int = 0
    status: str = "unknown"


@dataclass(frozen=True, slots=True)
class Release:
    """A release by its name and namespace, read anew at each call."""

    api: kubernetes.client.ApiClient
    name: str
    namespace: str

    @property
    def selector(self) -> str:
        """The label selector of everything that belongs to it."""
        return f"app.kubernetes.io/instance={self.name}"

    def revision(self) -> Revision:
        """The newest revision that Helm keeps of it."""
        secrets = kubernetes.client.CoreV1Api(self.api).list_namespaced_secret(
            self.namespace, label_selector=f"owner=helm,name={self.name}"
        )
        labels = [secret.metadata.labels for secret in secrets.items]
        return max(
            (Revision(int(found["version"]), found["status"]) for found in labels),
            key=lambda revision: revision.number,
            default=Revision(),
        )

    def rollouts(self) -> list[Rollout]:
        """Its deployments, by name."""
        found = kubernetes.client.AppsV1Api(self.api).list_namespaced_deployment(
            self.namespace, label_selector=self.selector
        )
        zones, pods = self._zones(), self.pods()
        return sorted((_rollout(item, pods, zones) for item in found.items), key=lambda rollout: rollout.name)

    def pods(self) -> list[Object]:
        """Its pods that have not ended and are not being deleted."""
        found = kubernetes.client.CoreV1Api(self.api).list_namespaced_pod(self.namespace, label_selector=self.selector)
        return [
            pod
            for pod in found.items
            if pod.status.phase not in ("Succeeded", "Failed") and pod.metadata.deletion_timestamp is None
        ]

    def autoscalers(self) -> list[Autoscaler]:
        """Its autoscalers."""
        found = kubernetes.client.AutoscalingV2Api(self.api).list_namespaced_horizontal_pod_autoscaler(
            self.namespace, label_selector=self.selector
        )
        return [_autoscaler(item) for item in found.items]

    def budgets(self) -> list[Budget]:
        """Its disruption budgets."""
        found = kubernetes.client.PolicyV1Api(self.api).list_namespaced_pod_disruption_budget(
            self.namespace, label_selector=self.selector
        )
        return [_budget(item) for item in found.items]

    def jobs(self) -> list[Job]:
        """Its jobs, oldest first."""
        found = kubernetes.client.BatchV1Api(self.api).list_namespaced_job(self.namespace, label_selector=self.selector)
        return [_job(item) for item in sorted(found.items, key=lambda job: job.metadata.creation_timestamp)]

    def warnings(self) -> list[Warned]:
        """Recent warnings in its namespace, the newest first."""
        found = kubernetes.client.CoreV1Api(self.api).list_namespaced_event(
            self.namespace, field_selector="type=Warning"
        )
        warned = [_warned(event) for event in found.items]
        recent = [one for one in warned if one.age <= RECENT.total_seconds()]
        return sorted(recent, key=lambda one: one.age)

    def _zones(self) -> dict[str, str]:
        """The zone of each node."""
        nodes = kubernetes.client.CoreV1Api(self.api).list_node().items
        return {node.metadata.name: (node.metadata.labels or {}).get(ZONE, "-") for node in nodes}


def pod_is_ready(pod: Object) -> bool:
    """Tell whether a pod says that it is ready."""
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions or ())


def _rollout(item: Object, pods: list[Object], zones: Mapping[str, str]) -> Rollout:
    wanted = item.spec.selector.match_labels or {}
    own = [pod for pod in pods if wanted.items() <= (pod.metadata.labels or {}).items()]
    status = item.status
    return Rollout(
        name=item.metadata.name,
        wanted=item.spec.replicas,
        ready=status.ready_replicas or 0,
        updated=status.updated_replicas or 0,
        available=status.available_replicas or 0,
        observed=(status.observed_generation or 0) >= item.metadata.generation
        and status.replicas == item.spec.replicas,
        images=tuple(container.image for container in item.spec.template.spec.containers),
        zones=Counter(zones.get(pod.spec.node_name, "-") for pod in own if pod_is_ready(pod)),
        restarts=sum(one.restart_count for pod in own for one in pod.status.container_statuses or ()),
    )


def _autoscaler(item: Object) -> Autoscaler:
    status = item.status
    # What could not be measured is an entry without a source.
    measured = [metric for metric in status.current_metrics or () if _source(metric)]
    current = {_metric_name(metric): _value(metric) for metric in measured}
    metrics = [(_metric_name(metric), _target(metric)) for metric in item.spec.metrics or ()]
    return Autoscaler(
        name=item.metadata.name,
        least=item.spec.min_replicas or 1,
        most=item.spec.max_replicas,
        current=status.current_replicas or 0,
        desired=status.desired_replicas or 0,
        metrics=tuple(f"{name} {current.get(name, '?')}/{target}" for name, target in metrics),
    )


def _metric_name(metric: Object) -> str:
    source = _source(metric)
    return str(source.name if hasattr(source, "name") else source.metric.name)


def _source(metric: Object) -> Object:
    return metric.resource or metric.container_resource or metric.pods or metric.object or metric.external


def _value(metric: Object) -> str:
    return _amount(_source(metric).current)


def _target(metric: Object) -> str:
    return _amount(_source(metric).target)


def _amount(value: Object) -> str:
    if value.average_utilization is not None:
        return f"{value.average_utilization}%"
    return str(value.average_value or value.value or "?")


def _budget(item: Object) -> Budget:
    status = item.status
    return Budget(
        item.metadata.name,
        status.expected_pods,
        status.current_healthy,
        status.desired_healthy,
        status.disruptions_allowed,
    )


def _job(item: Object) -> Job:
    states = {condition.type for condition in item.status.conditions or () if condition.status == "True"}
    state = "complete" if "Complete" in states else "failed" if "Failed" in states else "running"
    began = item.status.start_time or item.metadata.creation_timestamp
    ended = item.status.completion_time or _now()
    return Job(item.metadata.name, state, (ended - began).total_seconds())


def _warned(event: Object) -> Warned:
    last = event.last_timestamp or event.event_time or event.metadata.creation_timestamp
    about = f"{event.involved_object.kind}/{event.involved_object.name}"
    message = " ".join((event.message or "").split())
    return Warned(about, event.reason or "", message, event.count or 1, (_now() - last).total_seconds())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
