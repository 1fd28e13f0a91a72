"""The network of the node: a namespace of its own, so that what kube-proxy and the pods do there touches nothing of this machine.

One cable joins it to this machine. Over it the pods reach the control plane, and this machine reaches pods and services.
"""

import json
import subprocess
from pathlib import Path

from scripts.cluster import layout, servers
from scripts.operate import storage
from scripts.stack.supervise import problems

NAMESPACE = "souk-node"
# How a command is run there. Not by `ip netns exec`, which hides the control groups of this machine behind a /sys of its own.
# Containers run as other users than the node does, and must reach what it unpacks and mounts for them.
PUBLIC_UMASK = 0o022
INSIDE = ("nsenter", f"--net=/run/netns/{NAMESPACE}")
POD_RANGE = "10.244.0.0/24"
_CABLE, _PREFIX = "souk0", 30


def up() -> None:
    """Lay the cable, unless it is there. Raises a StackError, for example without root."""
    if Path(f"/run/netns/{NAMESPACE}").exists():
        return
    _ip("netns", "add", NAMESPACE)
    _ip("link", "add", _CABLE, "type", "veth", "peer", "name", "eth0", "netns", NAMESPACE)
    _ip("address", "add", f"{layout.CABLE}/{_PREFIX}", "dev", _CABLE)
    _ip("link", "set", _CABLE, "up")
    for command in (
        ("link", "set", "lo", "up"),
        ("address", "add", f"{layout.NODE}/{_PREFIX}", "dev", "eth0"),
        ("link", "set", "eth0", "up"),
        ("route", "add", "default", "via", layout.CABLE),
    ):
        _run(*INSIDE, "ip", *command)
    _run(*INSIDE, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    for behind in (servers.PODS, servers.SERVICES):
        _ip("route", "add", behind, "via", layout.NODE)


def down() -> None:
    """Take the cable away, and the network behind it. Its routes go with it."""
    for arguments in (("link", "delete", _CABLE), ("netns", "delete", NAMESPACE)):
        subprocess.run(("ip", *arguments), capture_output=True, check=False)


def write_plugins(cluster: layout.Cluster) -> Path:
    """Write how pods are joined to the network: the folder. Each has a cable of its own to the node, and no bridge between."""
    folder = cluster.folder / "cni"
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(folder / "addresses"),
    }
    document = {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": addresses}]}
    storage.write(folder / "10-pods.conflist", json.dumps(document, indent=1))
    return folder


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise problems.StackError(f"the node's network: `{' '.join(command)}` failed: {done.stderr.strip()}")
