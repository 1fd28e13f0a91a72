"""The cluster's name server: CoreDNS in a pod of its own, as every cluster has it (k8s/node/names.yaml)."""

import functools

import kubernetes
import yaml

from scripts.cluster import plane
from scripts.stack import layout

# What pods are told to ask: the address of the service in the manifest.
ADDRESS = "10.96.0.10"
IMAGE = "localhost/souk/coredns:node"
_MANIFEST = layout.ROOT / "k8s" / "node" / "names.yaml"


def up(api: kubernetes.client.ApiClient) -> None:
    """Make its objects, unless they are there."""
    for document in yaml.safe_load(_MANIFEST.read_text())["items"]:
        plane.once(functools.partial(kubernetes.utils.create_from_dict, api, document))
