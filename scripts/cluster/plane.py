"""Bringing a simulated cluster up and taking it down. `up` completes what is missing; `down` leaves nothing but logs."""

import base64
import concurrent.futures
import functools
import shutil
import threading
import time
from collections.abc import Callable

import kubernetes

from scripts.cluster import layout, pki, servers, stages
from scripts.local import component, problems, processes, progress

GRACE_S = 20.0
NODES_READY_S = 30.0
_METRICS = ("metrics.k8s.io", "v1beta1")


def up(cluster: layout.Cluster, report: progress.Progress) -> None:
    """Bring the cluster up, with its nodes ready. Raises a StackError; what is up by then stays up."""
    pki.write(cluster)
    starter = component.Starter(processes.Processes(cluster.folder), report, threading.Event())
    starter.ensure(servers.etcd(cluster))
    starter.ensure(servers.apiserver(cluster))
    makers = (servers.controller_manager, servers.scheduler, servers.nodes, servers.metrics)
    with concurrent.futures.ThreadPoolExecutor(len(makers)) as pool:
        for done in [pool.submit(lambda maker: starter.ensure(maker(cluster)), maker) for maker in makers]:
            done.result()
    with client(cluster) as api:
        core = kubernetes.client.CoreV1Api(api)
        _register_metrics(cluster, api)
        for node in stages.nodes():
            _once(functools.partial(core.create_node, node))
        _await_nodes(core)
    report.say("nodes", f"{len(stages.nodes())} simulated, in as many zones")


def down(cluster: layout.Cluster, report: progress.Progress) -> None:
    """Stop every process, each waited for, and remove the cluster's data; its logs stay."""
    known = processes.Processes(cluster.folder)
    for name in reversed(servers.NAMES):
        record = known.running(name)
        if record and not processes.stop(record, by=component.stop_signal(name), grace=GRACE_S):
            report.say(name, f"did not stop within {GRACE_S:.0f} s: killed (log: {record.log})")
        elif record:
            report.say(name, "stopped")
        known.forget(name)
    for name, pids in known.leftovers().items():
        report.say(name, f"stopping a leftover (pid {', '.join(map(str, pids))})")
        processes.end_pids(pids)
    for path in cluster.folder.glob("*"):
        if path.is_dir() and path.name != "logs":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


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
    _once(lambda: kubernetes.client.CoreV1Api(api).create_namespaced_service("kube-system", service))
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
    _once(lambda: kubernetes.client.ApiregistrationV1Api(api).create_api_service(registration))


def _once(create: Callable[[], object]) -> None:
    """Create an object, unless it is there."""
    try:
        create()
    except kubernetes.client.ApiException as refused:
        if refused.status != 409:
            raise


def _await_nodes(core: kubernetes.client.CoreV1Api) -> None:
    until = time.monotonic() + NODES_READY_S
    while not all(_ready(node) for node in core.list_node().items):
        if time.monotonic() > until:
            raise problems.StackError(f"the simulated nodes are not ready after {NODES_READY_S:.0f} s: see kwok's log")
        time.sleep(0.1)


def _ready(node: kubernetes.client.V1Node) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions or ())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
