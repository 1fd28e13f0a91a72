"""Where a simulated cluster keeps its things and which ports it uses. Two clusters share nothing but the tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.supervise import places, problems

MAIN = "main"
PORT_BASE = 26000
# Where a control plane listens whose pods are real and must reach it: this machine's end of the cable to its node.
CABLE = "10.231.0.1"
# The other end, and the name of the node that is there.
NODE, NODE_NAME = "10.231.0.2", "souk-node"
# Counted from the cluster's first port.
OFFSETS = {
    "etcd": 0,
    "kube-apiserver": 1,
    "kube-controller-manager": 2,
    "kube-scheduler": 3,
    "kwok": 4,
    "metrics-server": 5,
    "etcd-peer": 6,
}
# Another cluster than the main one stands this much above it.
NEXT = 20


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: its name, its first port and the address it is called at. `root` is the folder whose `.souk` it lives in."""

    name: str = MAIN
    port_base: int = PORT_BASE
    root: Path = places.ROOT
    host: str = places.HOST

    @property
    def folder(self) -> Path:
        """Where its data, records, logs and keys lie."""
        return self.root / ".souk" / "cluster" / self.name

    @property
    def kubeconfig(self) -> Path:
        """How its administrator finds it: what KUBECONFIG names."""
        return self.folder / "admin.kubeconfig"

    @property
    def server(self) -> str:
        """The URL of its API."""
        return f"https://{self.address('kube-apiserver')}"

    def port(self, part: str) -> int:
        """The port of a part of the control plane."""
        return self.port_base + OFFSETS[part]

    def address(self, part: str) -> str:
        """`host:port` of a part of the control plane. Nobody but the API server talks to the store, whose doors have no lock."""
        return f"{places.HOST if part.startswith('etcd') else self.host}:{self.port(part)}"

    def key(self, name: str) -> Path:
        """The private key of a client or server called so; its certificate lies beside it."""
        return self.folder / "pki" / f"{name}.key"

    def certificate(self, name: str) -> Path:
        """The certificate of a client or server called so."""
        return self.folder / "pki" / f"{name}.crt"


def chosen(name: str, environment: Mapping[str, str]) -> Cluster:
    """The cluster of that name, on its usual ports unless CLUSTER_PORT_BASE says otherwise. Raises a StackError."""
    text = environment.get("CLUSTER_PORT_BASE", str(PORT_BASE))
    highest = 65_535 - 2 * NEXT
    if not text.isdecimal() or not places.LOWEST_PORT <= int(text) <= highest:
        raise problems.StackError(f"CLUSTER_PORT_BASE={text} is no port from {places.LOWEST_PORT} to {highest}")
    return Cluster(name, int(text) + (0 if name == MAIN else NEXT))
