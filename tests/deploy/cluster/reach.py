"""Who may open a connection to whom: what the live NetworkPolicies say, and what the contract and the registry say."""

from typing import Any, TypeAlias

import yaml

from gateway import contract
from scripts.generate.chart import registry_file
from scripts.operate import release
from services import registry
from tests.deploy.charts import reachability
from tests.deploy.cluster import shop

# Sender, receiver, port.
Connection: TypeAlias = tuple[str, str, int]

_EDGE, _EDGE_PORT = "edge", 8080
_PROMETHEUS = "prometheus"
# Pods that are not ours: one beside us without our labels, one of another namespace, and whoever scrapes.
STRANGERS = (
    reachability.Pod("neighbour", shop.NAMESPACE, {}),
    reachability.Pod("stranger", "default", {}),
    reachability.Pod(_PROMETHEUS, "monitoring", {}),
)


def open_connections(of: release.Release) -> set[Connection]:
    """Every connection that the namespace's policies let pass, from any of our pods or a stranger to any of ours."""
    return reachability.connections(_live(of), of.namespace, STRANGERS)


def wanted_connections() -> set[Connection]:
    """Those that there have to be: callers by the contract, everybody to the edge, Prometheus to the metrics."""
    known = registry.load()
    described = contract.read((shop.ROOT / ".souk" / "gen" / "souk.binpb").read_bytes(), known.services)
    wanted = {(stranger.name, _EDGE, _EDGE_PORT) for stranger in STRANGERS}
    document = yaml.safe_load(registry_file.render(known, described))
    for caller, called in registry_file.callers(document):
        senders = [_EDGE] if caller == _EDGE else [f"{caller}/{role}" for role in known.services[caller].roles]
        wanted |= {(sender, f"{called}/serve", known.services[called].port) for sender in senders}
    for service in known.services.values():
        wanted |= {(_PROMETHEUS, f"{service.name}/{role}", service.metrics_port) for role in service.roles}
    return wanted


def pairs(of: release.Release) -> int:
    """How many combinations of sender, receiver and port were looked at."""
    receivers = reachability.pods(_live(of), of.namespace)
    senders = len(receivers) + len(STRANGERS)
    return sum(len(receiver.ports) * (senders - 1) for receiver in receivers)


def _live(of: release.Release) -> list[dict[str, Any]]:
    kinds = ("Deployment", "NetworkPolicy")
    return [dict(item) for item in shop.objects(of) if item["kind"] in kinds]
