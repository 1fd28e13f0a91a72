"""The release as somebody finds it who stands beside the node: its edge, and, for whoever checks, its books."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes

from scripts.operate import release
from services import registry


def environment(of: release.Release, folder: Path) -> Mapping[str, str]:
    """Where the parts of the shop are, under the names that the local stack's have. Keys are written to the folder."""
    core = kubernetes.client.CoreV1Api(of.api)
    edge = core.read_namespaced_service(f"{of.name}-edge", of.namespace).spec.cluster_ip
    keys = folder / "signing"
    keys.mkdir()
    for name, content in _secret(core, of, "signing").items():
        (keys / name).write_bytes(content)
    return {
        "EDGE_URL": f"http://{edge}",
        "USER_SIGNING_KEY_DIR": str(keys),
        "PAYMENT_PROVIDER_URL": f"http://{_address(core, of, 'provider')}:8090",
        "CARRIER_URL": f"http://{_address(core, of, 'carrier')}:8091",
        **{
            f"{service.upper()}_DATABASE_URL": _url(core, of, f"{service}-database")
            for service in registry.load().with_store([], "postgres")
        },
    }


def _url(core: Any, of: release.Release, secret: str) -> str:
    """The URL in a secret, with the address of the pod in place of a name that only pods can look up."""
    url = _secret(core, of, secret)["url"].decode()
    host = urlsplit(url).hostname or ""
    return url.replace(host, _address(core, of, "postgres"))


def _address(core: Any, of: release.Release, server: str) -> str:
    return str(core.read_namespaced_pod(f"{of.name}-{server}-0", of.namespace).status.pod_ip)


def _secret(core: Any, of: release.Release, name: str) -> Mapping[str, bytes]:
    data = core.read_namespaced_secret(f"{of.name}-{name}", of.namespace).data
    return {key: base64.b64decode(value) for key, value in data.items()}
