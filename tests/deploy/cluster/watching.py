"""Watching a release while something is done to it: how few of its pods were ready at the worst moment, and what came when."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import kubernetes

from scripts.operate import release

# A watch ends by itself so often, in seconds, so that whoever stops it does not wait for the next event.
_WATCH_S = 1


@dataclass(slots=True)
class Watched:
    """The pods of a release as events told of them. `lowest` is the least number of ready pods by workload."""

    pods: dict[str, tuple[str, bool]] = field(default_factory=dict)
    lowest: dict[str, int] = field(default_factory=dict)
    highest: Counter[str] = field(default_factory=Counter)
    events: int = 0

    def hear(self, kind: str, pod: Any) -> None:
        """Take in one event about a pod."""
        self.events += 1
        name = workload(pod)
        if not name:
            return
        if kind == "DELETED":
            self.pods.pop(pod.metadata.uid, None)
        else:
            well = release.pod_is_ready(pod) and pod.metadata.deletion_timestamp is None
            self.pods[pod.metadata.uid] = (name, well)
        ready = sum(well for owner, well in self.pods.values() if owner == name)
        self.lowest[name] = min(ready, self.lowest.get(name, ready))
        self.highest[name] = max(ready, self.highest[name])

    def begin(self, pods: list[Any]) -> None:
        """Take in the pods there are before anything happens; only what comes later counts."""
        for pod in pods:
            self.hear("ADDED", pod)
        ready: Mapping[str, int] = Counter(owner for owner, well in self.pods.values() if well)
        self.lowest = {name: ready.get(name, 0) for name in self.lowest}
        self.highest = Counter(self.lowest)
        self.events = 0

    def below(self, wanted: Mapping[str, int]) -> dict[str, str]:
        """The workloads that had fewer ready pods than wanted at some moment."""
        return {name: f"{self.lowest[name]} of {count}" for name, count in wanted.items() if self.lowest[name] < count}


def workload(pod: Any) -> str:
    """The Deployment that a pod belongs to, by its ReplicaSet's name; empty for pods of jobs."""
    owners = [owner.name for owner in pod.metadata.owner_references or () if owner.kind == "ReplicaSet"]
    return str(owners[0]).rpartition("-")[0] if owners else ""


@contextmanager
def pods(of: release.Release) -> Iterator[Watched]:
    """Watch the pods of a release as long as the block lasts."""
    core = kubernetes.client.CoreV1Api(of.api)
    found = core.list_namespaced_pod(of.namespace, label_selector=of.selector)
    watched = Watched()
    watched.begin(found.items)
    what = _Listing(core.list_namespaced_pod, of.namespace, of.selector)
    with _following(what, found.metadata.resource_version, watched.hear):
        yield watched


@dataclass(slots=True)
class Order:
    """In which order things of a namespace appeared and were done: `(kind, name, what)`."""

    moments: list[tuple[str, str, str]] = field(default_factory=list)
    _done: set[str] = field(default_factory=set)

    def hear_of_job(self, kind: str, job: Any) -> None:
        """Take in one event about a job."""
        name = job.metadata.name
        if job.status.succeeded and name not in self._done:
            self._done.add(name)
            self.moments.append(("Job", name, "complete"))
        elif kind == "ADDED":
            self.moments.append(("Job", name, "created"))

    def hear_of_deployment(self, kind: str, deployment: Any) -> None:
        """Take in one event about a deployment."""
        if kind == "ADDED":
            self.moments.append(("Deployment", deployment.metadata.name, "created"))

    def of(self, kind: str, what: str) -> dict[str, int]:
        """When this happened to things of that kind: their names and places in the order."""
        return {name: place for place, (of, name, done) in enumerate(self.moments) if (of, done) == (kind, what)}


@contextmanager
def order(of: release.Release) -> Iterator[Order]:
    """Watch the jobs and deployments of a namespace as long as the block lasts."""
    batch, apps = kubernetes.client.BatchV1Api(of.api), kubernetes.client.AppsV1Api(of.api)
    heard = Order()
    version = batch.list_namespaced_job(of.namespace).metadata.resource_version
    jobs = _Listing(batch.list_namespaced_job, of.namespace)
    deployments = _Listing(apps.list_namespaced_deployment, of.namespace)
    with _following(jobs, version, heard.hear_of_job), _following(deployments, version, heard.hear_of_deployment):
        yield heard


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list of the API. The client reads from the method's own documentation what its events are made of."""

    method: Any
    namespace: str
    selector: str = ""

    def since(self, version: str) -> Iterator[dict[str, Any]]:
        """The events after a version, for a moment."""
        options = {"label_selector": self.selector, "resource_version": version, "timeout_seconds": _WATCH_S}
        yield from kubernetes.watch.Watch().stream(self.method, self.namespace, **options)


@contextmanager
def _following(listing: _Listing, version: str, hear: Callable[[str, Any], None]) -> Iterator[None]:
    """Hand every event after a version of the list to `hear`, in a thread, until the block ends."""
    over = threading.Event()
    failed: list[BaseException] = []

    def follow() -> None:
        seen = version
        try:
            while not over.is_set():
                for event in listing.since(seen):
                    seen = event["object"].metadata.resource_version
                    hear(event["type"], event["object"])
        except BaseException as error:  # noqa: BLE001 - it is raised again where the block ends
            failed.append(error)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10 * _WATCH_S)
    if failed:
        raise failed[0]
