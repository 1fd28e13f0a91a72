"""Who can reach whom, computed from rendered NetworkPolicies as a network plugin would: both ends must agree.

A packet passes when no policy selects the sender for egress, or one of those that do allows it; and the same for the receiver
and ingress. The kubelet's probes are no part of this: a node may always reach its own pods.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.deploy.charts import objects
from tests.deploy.charts.objects import Object


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as policies see it: its name here, the name of its namespace, its labels and the ports it listens on."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Policies:
    """The NetworkPolicies of one namespace."""

    namespace: str
    rules: Sequence[Object]

    def open(self, sender: Pod, receiver: Pod, port: int) -> bool:
        """Whether a TCP connection from one to the other's port passes."""
        out = self._passes("Egress", sender, receiver, port)
        return out and self._passes("Ingress", receiver, sender, port)

    def _passes(self, direction: str, here: Pod, there: Pod, port: int) -> bool:
        own = [policy for policy in self.rules if self._concerns(policy, direction, here)]
        field, end = ("egress", "to") if direction == "Egress" else ("ingress", "from")
        allowed = (rule for policy in own for rule in policy["spec"].get(field) or ())
        return not own or any(_at(rule, port) and self._among(rule.get(end), there) for rule in allowed)

    def _concerns(self, policy: Object, direction: str, pod: Pod) -> bool:
        spec = policy["spec"]
        chosen = pod.namespace == self.namespace and objects.selects(spec["podSelector"], pod.labels)
        return chosen and direction in spec["policyTypes"]

    def _among(self, peers: Sequence[Mapping[str, Any]] | None, pod: Pod) -> bool:
        return not peers or any(self._is(peer, pod) for peer in peers)

    def _is(self, peer: Mapping[str, Any], pod: Pod) -> bool:
        if "ipBlock" in peer:
            # A pod may have any address: the worst is assumed.
            return True
        if "namespaceSelector" in peer:
            space = {"kubernetes.io/metadata.name": pod.namespace}
            inside = objects.selects(peer["namespaceSelector"], space)
        else:
            inside = pod.namespace == self.namespace
        return inside and ("podSelector" not in peer or objects.selects(peer["podSelector"], pod.labels))


def _at(rule: Mapping[str, Any], port: int) -> bool:
    ports = rule.get("ports")
    return not ports or any(item.get("protocol", "TCP") == "TCP" and item.get("port") in (None, port) for item in ports)


def pods(rendered: Iterable[Object], namespace: str) -> list[Pod]:
    """One pod of each workload, named `component/role`, or by its component alone."""
    found = []
    for workload in objects.workloads(rendered):
        parts = [workload.labels[objects.COMPONENT], workload.labels.get(objects.ROLE, "")]
        ports = tuple(p["containerPort"] for container in workload.containers for p in container.get("ports", ()))
        found.append(Pod("/".join(part for part in parts if part), namespace, workload.labels, ports))
    return found


def policies(rendered: Iterable[Object], namespace: str) -> Policies:
    """Those of a rendering."""
    return Policies(namespace, list(objects.of_kind(rendered, "NetworkPolicy")))


def connections(rendered: Sequence[Object], namespace: str, strangers: Sequence[Pod] = ()) -> set[tuple[str, str, int]]:
    """Every (sender, receiver, port) that passes between two of a rendering's pods, or from a stranger to one of them."""
    own = pods(rendered, namespace)
    return set(_open(policies(rendered, namespace), [*own, *strangers], own))


def _open(rules: Policies, senders: Sequence[Pod], receivers: Sequence[Pod]) -> Iterator[tuple[str, str, int]]:
    for sender in senders:
        for receiver in receivers:
            for port in receiver.ports:
                if sender.name != receiver.name and rules.open(sender, receiver, port):
                    yield sender.name, receiver.name, port
