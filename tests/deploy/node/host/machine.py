"""Bringing a cluster with one real node up, and taking it down so that nothing of it is left but logs."""

import os
import shutil
import subprocess

import kubernetes

from scripts.cluster import layout, plane
from scripts.release.build import building, debian
from scripts.stack.supervise import progress
from tests.deploy.node.host import agents, names, network, runtime


def lacks() -> str:
    """What this machine lacks for a node, in a few words; nothing when it can have one."""
    if os.geteuid() != 0:
        return "root"
    if not runtime.groups_can_be_made():
        return "control groups that can be written to"
    if subprocess.run(("unshare", "--net", "true"), capture_output=True, check=False).returncode:
        return "the right to make a network of its own"
    return ""


def up(cluster: layout.Cluster, store: building.Buildah, report: progress.Progress) -> None:
    """Bring it up, ready to take pods. Raises a StackError; what is up by then stays up."""
    missing = [package for program, package in runtime.PACKAGES.items() if not shutil.which(program)]
    if missing:
        debian.install(missing)
    network.up()
    starter = plane.starts(cluster, report)
    plane.control(cluster, starter)
    starter.ensure(runtime.containerd(cluster))
    runtime.load(cluster, store, {runtime.PAUSE: runtime.PAUSE, names.IMAGE: names.IMAGE})
    starter.ensure(agents.kubelet(cluster))
    starter.ensure(agents.proxy(cluster))
    with plane.client(cluster) as api:
        names.up(api)
        plane.await_nodes(kubernetes.client.CoreV1Api(api))


def down(cluster: layout.Cluster, report: progress.Progress) -> None:
    """Stop every container and process, and remove the network and all data; the logs stay."""
    # The kubelet first: it would mount and start again what is taken from it.
    plane.stop(cluster, ("kubelet", "kube-proxy", "containerd"), report)
    runtime.end(cluster)
    plane.down(cluster, report)
    network.down()
