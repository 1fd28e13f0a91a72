"""Load on a simulated deployment: so much CPU in all, shared by as many pods as are ready, as a balancer would share it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import kubernetes

from scripts.cluster import stages
from scripts.operate import release
from tests.deploy.cluster import watching

_SHARED_EVERY_S = 0.5
# What an idle pod uses. Not nothing: metrics-server passes over containers that never used any CPU, and an autoscaler takes pods
# without figures for busy ones: so one that came last and never had its share measured would keep the deployment large.
_IDLE = 5


@contextmanager
def on(of: release.Release, workload: str, millicores: int) -> Iterator[None]:
    """Keep the pods of a workload busy as long as the block lasts; idle again afterwards."""
    core = kubernetes.client.CoreV1Api(of.api)
    over = threading.Event()
    failed: list[BaseException] = []

    def share() -> None:
        try:
            while not over.wait(_SHARED_EVERY_S):
                busy = _ready(of, workload)
                _use(core, busy, millicores // max(1, len(busy)))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the block ends
            failed.append(error)

    thread = threading.Thread(target=share, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _use(core, _ready(of, workload), _IDLE)
    if failed:
        raise failed[0]


def _ready(of: release.Release, workload: str) -> list[kubernetes.client.V1Pod]:
    return [pod for pod in of.pods() if watching.workload(pod) == workload and release.pod_is_ready(pod)]


def _use(core: kubernetes.client.CoreV1Api, pods: Sequence[kubernetes.client.V1Pod], millicores: int) -> None:
    usage = f"{millicores}m"
    for pod in pods:
        if (pod.metadata.annotations or {}).get(stages.USAGE_CPU) != usage:
            _annotate(core, pod, usage)


def _annotate(core: kubernetes.client.CoreV1Api, pod: kubernetes.client.V1Pod, usage: str) -> None:
    change = {"metadata": {"annotations": {stages.USAGE_CPU: usage}}}
    try:
        core.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, change)
    except kubernetes.client.ApiException as refused:
        # It was scaled away since it was listed.
        if refused.status != 404:
            raise
