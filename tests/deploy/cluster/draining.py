"""Taking nodes out of service as `kubectl drain` does: no new pods, and every pod is asked to leave until it may."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import kubernetes

from scripts.operate import release

_AGAIN_S = 0.5


@dataclass(slots=True)
class Drained:
    """What came of it: how many pods left, and how often a disruption budget said "not now" (429)."""

    evicted: int = 0
    refused: int = 0


@contextmanager
def cordoned(of: release.Release, nodes: Sequence[str]) -> Iterator[None]:
    """No new pods on these nodes as long as the block lasts."""
    core = kubernetes.client.CoreV1Api(of.api)
    try:
        for node in nodes:
            core.patch_node(node, {"spec": {"unschedulable": True}})
        yield
    finally:
        for node in nodes:
            core.patch_node(node, {"spec": {"unschedulable": False}})


def drain(of: release.Release, nodes: Sequence[str], *, within_s: float) -> Drained:
    """Evict all pods of a release from these nodes at once. Raises AssertionError when some are left after that time."""
    drained = Drained()
    until = time.monotonic() + within_s
    while left := [pod for pod in of.pods() if pod.spec.node_name in nodes]:
        assert time.monotonic() < until, f"{len(left)} pods are still there after {within_s} s"
        for pod in left:
            _evict(of, pod.metadata.name, drained)
        time.sleep(_AGAIN_S)
    return drained


def _evict(of: release.Release, pod: str, drained: Drained) -> None:
    eviction = {"metadata": {"name": pod, "namespace": of.namespace}}
    try:
        kubernetes.client.CoreV1Api(of.api).create_namespaced_pod_eviction(pod, of.namespace, eviction)
        drained.evicted += 1
    except kubernetes.client.ApiException as refused:
        if refused.status == 429:
            drained.refused += 1
        elif refused.status != 404:
            raise
