"""The disks of the node: what a provisioner does on kind or minikube, a few volumes made beforehand do here."""

import yaml

from scripts.cluster import layout
from scripts.operate import storage
from tests.deploy.cluster import helm as helm_command

CLASS = "of-this-node"
_VOLUMES = 8


def provide(node: layout.Cluster, helm: helm_command.Helm) -> None:
    """Make the default storage class and volumes of it, in folders of this machine."""
    described = node.folder / "volumes.yaml"
    storage.write(described, yaml.safe_dump_all([_storage_class(), *(_volume(node, n) for n in range(_VOLUMES))]))
    helm.kubectl("apply", "-f", str(described))


def _storage_class() -> dict[str, object]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _volume(node: layout.Cluster, number: int) -> dict[str, object]:
    folder = node.folder / "volumes" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    on_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [layout.NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"disk-{number}"},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": CLASS,
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [on_node]}]}},
        },
    }
