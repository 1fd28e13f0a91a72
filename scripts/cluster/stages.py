"""What the simulated nodes say of pods: kwok's own stages with delays of this project, and the failures of k8s/simulated.

Usage is an annotation of the pod (`kwok.x-k8s.io/usage-cpu`), which metrics-server reads as it reads a kubelet's figures.
"""

import itertools
from pathlib import Path
from typing import Any

import yaml

from scripts.cluster import layout, tools
from scripts.operate import storage
from scripts.stack.supervise import places

Document = dict[str, Any]

SIMULATED = places.ROOT / "k8s" / "simulated"
USAGE_CPU = "kwok.x-k8s.io/usage-cpu"
# Parts of an image's name that say how its container does.
BROKEN, STUCK = "-broken", "-stuck"
_IMAGE = ".spec.containers[0].image"
_IS_BROKEN = f'{_IMAGE} | contains("{BROKEN}")'
# What runs to an end has nothing to get ready for.
_IS_STUCK = f'({_IMAGE} | contains("{STUCK}")) and (.metadata.ownerReferences[0].kind != "Job")'
_FILES = (
    "metrics/usage/usage-from-annotation.yaml",
    "metrics/resource/metrics-resource.yaml",
    "stage/node/fast/node-initialize.yaml",
    "stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "stage/pod/general/pod-create.yaml",
    "stage/pod/general/pod-init-container-running.yaml",
    "stage/pod/general/pod-init-container-completed.yaml",
    "stage/pod/general/pod-ready.yaml",
    "stage/pod/general/pod-complete.yaml",
    "stage/pod/general/pod-delete.yaml",
)
# Milliseconds until a stage sets in, and how many more at most: shorter than real ones, long enough for an order to show.
_DELAYS = {
    "pod-create": (100, 300),
    "pod-init-container-running": (50, 100),
    "pod-init-container-completed": (100, 300),
    "pod-ready": (300, 1500),
    "pod-complete": (200, 600),
    "pod-delete": (300, 300),
}


def write(cluster: layout.Cluster) -> Path:
    """Write kwok's configuration for a cluster: its file. Raises a StackError when kwok can't be built."""
    folder = tools.path("stages")
    documents = itertools.chain.from_iterable(_read(folder / name) for name in _FILES)
    shaped = [_shaped(document) for document in documents]
    file = cluster.folder / "kwok.yaml"
    storage.write(file, yaml.safe_dump_all([*shaped, *_read(SIMULATED / "stages.yaml")], sort_keys=False))
    return file


def nodes() -> list[Document]:
    """The simulated nodes, as they are given to the API."""
    items: list[Document] = yaml.safe_load((SIMULATED / "nodes.yaml").read_text())["items"]
    return items


def _shaped(document: Document) -> Document:
    """One of kwok's documents: a stage of a pod with our delay, and not for pods that are to fail or never to be ready."""
    name = document["metadata"]["name"]
    if name not in _DELAYS:
        return document
    least, most = _DELAYS[name]
    spec = dict(document["spec"])
    spec["delay"] = {"durationMilliseconds": least, "jitterDurationMilliseconds": least + most}
    if name == "pod-ready":
        selector = spec["selector"]["matchExpressions"]
        spec["selector"] = {"matchExpressions": [*selector, _never(_IS_BROKEN), _never(_IS_STUCK)]}
    return {**document, "spec": spec}


def _never(condition: str) -> Document:
    return {"key": condition, "operator": "In", "values": ["false"]}


def _read(file: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]
