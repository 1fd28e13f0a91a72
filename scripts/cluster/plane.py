"""Bringing a simulated cluster up and taking it down. `up` completes what is missing; `down` leaves nothing but logs."""

import base64
import concurrent.futures
import functools
import shutil
import threading
import time
from collections.abc import Callable, Iterable

import kubernetes

from scripts.cluster import layout, pki, servers, stages
from scripts.stack.supervise import component, problems, processes, progress

GRACE_S = 20.0
NODES_READY_S = 30.0
Maker = Callable[[layout.Cluster], component.Component]
_METRICS = ("metrics.k8s.io", "v1beta1")


def up(cluster: layout.Cluster, report: progress.Progress) -> None:
    """Bring the cluster up, with its nodes ready. Raises a StackError; what is up by then stays up."""
    starter = starts(cluster, report)
    control(cluster, starter, servers.nodes, servers.metrics)
    with client(cluster) as api:
        core = kubernetes.client.CoreV1Api(api)
        _register_metrics(cluster, api)
        for node in stages.nodes():
            once(functools.partial(core.create_node, node))
        await_nodes(core)
    report.say("nodes", f"{len(stages.nodes())} simulated, in as many zones")


def starts(cluster: layout.Cluster, report: progress.Progress) -> component.Starter:
    """What starts the processes of a cluster."""
    return component.Starter(processes.Processes(cluster.folder), report, threading.Event())


def control(cluster: layout.Cluster, starter: component.Starter, *more: Maker) -> None:
    """Bring the control plane up, and beside it what `more` makes of the cluster. Raises a StackError."""
    pki.write(cluster)
    servers.kubeconfig(cluster, pki.ADMIN)
    starter.ensure(servers.etcd(cluster))
    starter.ensure(servers.apiserver(cluster))
    makers = (servers.controller_manager, servers.scheduler, *more)
    with concurrent.futures.ThreadPoolExecutor(len(makers)) as pool:
        for done in [pool.submit(lambda maker: starter.ensure(maker(cluster)), maker) for maker in makers]:
            done.result()


def down(cluster: layout.Cluster, report: progress.Progress) -> None:
    """Stop every process, each waited for, and remove the cluster's data; its logs stay."""
    known = processes.Processes(cluster.folder)
    stop(cluster, sorted(known.names(), key=_last_first), report)
    for name, pids in known.leftovers().items():
        report.say(name, f"stopping a leftover (pid {', '.join(map(str, pids))})")
        processes.end_pids(pids)
    for path in cluster.folder.glob("*"):
        if path.is_dir() and path.name != "logs":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def stop(cluster: layout.Cluster, names: Iterable[str], report: progress.Progress) -> None:
    """Stop processes of the cluster, one after the other, each waited for."""
    known = processes.Processes(cluster.folder)
    for name in names:
        record = known.running(name)
        if record and not processes.stop(record, grace=GRACE_S):
            report.say(name, f"did not stop within {GRACE_S:.0f} s: killed (log: {record.log})")
        elif record:
            report.say(name, "stopped")
        known.forget(name)


def client(cluster: layout.Cluster) -> kubernetes.client.ApiClient:
    """A client of the cluster's API, as its administrator."""
    return kubernetes.config.new_client_from_config(str(cluster.kubeconfig))


def _register_metrics(cluster: layout.Cluster, api: kubernetes.client.ApiClient) -> None:
    """Let the API answer for metrics.k8s.io by metrics-server, which lives on this machine and in no pod."""
    group, version = _METRICS
    port = cluster.port("metrics-server")
    name = "metrics-server"
    service = {
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port, "name": "https"}]},
    }
    once(lambda: kubernetes.client.CoreV1Api(api).create_namespaced_service("kube-system", service))
    registration = {
        "metadata": {"name": f"{version}.{group}"},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": _base64(cluster.certificate(pki.AUTHORITY).read_bytes()),
            "service": {"name": name, "namespace": "kube-system", "port": port},
        },
    }
    once(lambda: kubernetes.client.ApiregistrationV1Api(api).create_api_service(registration))


def _last_first(name: str) -> int:
    return -servers.NAMES.index(name) if name in servers.NAMES else 0


def once(create: Callable[[], object]) -> None:
    """Create an object, unless it is there."""
    try:
        create()
    except kubernetes.client.ApiException as refused:
        if refused.status != 409:
            raise


def await_nodes(core: kubernetes.client.CoreV1Api) -> None:
    """Wait until there are nodes and all of them take pods. Raises a StackError when that takes too long."""
    until = time.monotonic() + NODES_READY_S
    while not (nodes := core.list_node().items) or not all(_ready(node) for node in nodes):
        if time.monotonic() > until:
            raise problems.StackError(
                f"the nodes are not ready after {NODES_READY_S:.0f} s: see the logs of their kubelets"
            )
        time.sleep(0.1)


def _ready(node: kubernetes.client.V1Node) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions or ())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
