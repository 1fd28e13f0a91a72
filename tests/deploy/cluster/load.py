"""Load on a simulated deployment: so much CPU in all, shared by as many pods as are ready, as a balancer would share it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import kubernetes

from scripts.cluster import stages
from scripts.operate import release
from tests.deploy.cluster import watching

_SHARED_EVERY_S = 0.5


@contextmanager
def on(of: release.Release, workload: str, millicores: int) -> Iterator[None]:
    """Keep the pods of a workload busy as long as the block lasts; idle again afterwards."""
    core = kubernetes.client.CoreV1Api(of.api)
    over = threading.Event()
    failed: list[BaseException] = []

    def share() -> None:
        try:
            while not over.wait(_SHARED_EVERY_S):
                _spread(core, of, workload, millicores)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the block ends
            failed.append(error)

    thread = threading.Thread(target=share, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _spread(core, of, workload, 0)
    if failed:
        raise failed[0]


def _spread(core: kubernetes.client.CoreV1Api, of: release.Release, workload: str, millicores: int) -> None:
    busy = [pod for pod in of.pods() if watching.workload(pod) == workload and release.pod_is_ready(pod)]
    for pod in busy:
        share = f"{millicores // len(busy)}m"
        if (pod.metadata.annotations or {}).get(stages.USAGE_CPU) != share:
            _annotate(core, pod, share)


def _annotate(core: kubernetes.client.CoreV1Api, pod: kubernetes.client.V1Pod, share: str) -> None:
    change = {"metadata": {"annotations": {stages.USAGE_CPU: share}}}
    try:
        core.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, change)
    except kubernetes.client.ApiException as refused:
        # It was scaled away since it was listed.
        if refused.status != 404:
            raise
