"""Rendered Kubernetes objects, and what is common to whatever has pods."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Object = dict[str, Any]
COMPONENT, ROLE = "app.kubernetes.io/component", "souk.dev/role"


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that runs pods: its object, and the metadata and spec of a pod of it."""

    object: Object
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Deployment, StatefulSet, Job, CronJob or Pod."""
        return str(self.object["kind"])

    @property
    def title(self) -> str:
        """`Deployment souk-order-serve`."""
        return title(self.object)

    @property
    def lasting(self) -> bool:
        """Whether its pods are there until somebody removes them."""
        return self.kind in ("Deployment", "StatefulSet")

    @property
    def containers(self) -> Sequence[Mapping[str, Any]]:
        """All containers, those that run first included."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def parse(text: str) -> list[Object]:
    """The objects of a rendered chart or a folder of manifests."""
    # Manifests are long: the loader in C is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(text, Loader=loader) if document]


def of_kind(objects: Iterable[Object], *kinds: str) -> Iterator[Object]:
    """Those of these kinds."""
    return (item for item in objects if item["kind"] in kinds)


def workloads(objects: Iterable[Object]) -> list[Workload]:
    """Everything that has pods."""
    found = []
    for item in of_kind(objects, "Deployment", "StatefulSet", "Job", "CronJob", "Pod"):
        pod = _pod(item)
        found.append(Workload(item, pod["metadata"].get("labels", {}), pod["spec"]))
    return found


def _pod(item: Object) -> Object:
    if item["kind"] == "Pod":
        return item
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    template: Object = spec["template"]
    return template


def title(item: Object) -> str:
    """What a person calls an object."""
    return f"{item['kind']} {item['metadata']['name']}"


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector picks something with these labels; an empty one picks everything, none nothing."""
    if selector is None:
        return False
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(_holds(rule, labels) for rule in selector.get("matchExpressions", ()))


def _holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(rule["key"])
    match rule["operator"]:
        case "In":
            return value in rule["values"]
        case "NotIn":
            return value not in rule["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
