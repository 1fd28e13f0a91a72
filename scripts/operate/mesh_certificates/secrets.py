"""Certificates in Secrets of a cluster, of the type that cert-manager writes too: whoever mounts them sees no difference."""

import base64
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from scripts.operate.mesh_certificates.authority import Pair

MISSING = 404
LABELS = {"app.kubernetes.io/part-of": "souk", "app.kubernetes.io/managed-by": "souk-mesh-certificates"}


@dataclass(frozen=True, slots=True)
class Secrets:
    """The Secrets of a namespace whose names begin with `prefix`. Raises ApiException when the cluster refuses."""

    api: client.CoreV1Api
    namespace: str
    prefix: str

    def read(self, name: str) -> Pair | None:
        """The pair in a Secret; None when there is no such Secret, or nothing of it in it."""
        try:
            data = self.api.read_namespaced_secret(f"{self.prefix}{name}", self.namespace).data or {}
        except ApiException as error:
            if error.status == MISSING:
                return None
            raise
        if not {"tls.crt", "tls.key"} <= data.keys():
            return None
        return Pair(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))

    def write(self, name: str, pair: Pair, trusted: bytes) -> None:
        """Make or change the Secret, in one request."""
        files = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": trusted}
        data = {file: base64.b64encode(content).decode() for file, content in files.items()}
        named = f"{self.prefix}{name}"
        if self._exists(named):
            self.api.patch_namespaced_secret(named, self.namespace, {"data": data})
            return
        body: dict[str, Any] = {
            "metadata": {"name": named, "labels": LABELS},
            "type": "kubernetes.io/tls",
            "data": data,
        }
        self.api.create_namespaced_secret(self.namespace, body)

    def _exists(self, named: str) -> bool:
        try:
            self.api.read_namespaced_secret(named, self.namespace)
        except ApiException as error:
            if error.status == MISSING:
                return False
            raise
        return True


def names(identity: str, namespace: str, prefix: str, domain: str) -> tuple[str, ...]:
    """What an identity's Service is called inside the cluster."""
    service = f"{prefix}{identity}"
    return service, f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.{domain}"
