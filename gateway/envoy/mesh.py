"""Mutual TLS towards the services: the edge's own certificate, and whose certificate each service must show.

Files that are named in the configuration itself are read once. Named by secrets that Envoy watches (`SECRETS`, a file that
`generate` writes beside the configuration), they are read again whenever the folder's files are exchanged.
"""

from pathlib import Path
from typing import Any

from gateway.settings import Settings

SECRETS = "secrets.yaml"
_TRUST_DOMAIN = "spiffe://souk/"
_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_OWN, _TRUSTED = "own", "trusted"


def connection(service: str, settings: Settings) -> dict[str, Any]:
    """What a cluster says of its connections; nothing while the mesh speaks plain text."""
    if not settings.tls:
        return {}
    source = {"path_config_source": {"path": str(settings.folder / SECRETS)}, "resource_api_version": "V3"}
    whose = {"san_type": "URI", "matcher": {"exact": f"{_TRUST_DOMAIN}{service}"}}
    context = {
        "@type": f"{_TYPE}.UpstreamTlsContext",
        "sni": service,
        "common_tls_context": {
            # Upstream, Envoy offers 1.2 at most unless it is told.
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [{"name": _OWN, "sds_config": source}],
            "combined_validation_context": {
                "default_validation_context": {"match_typed_subject_alt_names": [whose]},
                "validation_context_sds_secret_config": {"name": _TRUSTED, "sds_config": source},
            },
        },
    }
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def secrets(tls: Path) -> dict[str, Any]:
    """The file of secrets, for certificates in this folder."""
    watched = {"watched_directory": {"path": str(tls)}}
    own = {"certificate_chain": _file(tls / "tls.crt"), "private_key": _file(tls / "tls.key"), **watched}
    trusted = {"trusted_ca": _file(tls / "ca.crt"), **watched}
    resources = [_secret(_OWN, {"tls_certificate": own}), _secret(_TRUSTED, {"validation_context": trusted})]
    return {"resources": resources}


def _secret(name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"@type": f"{_TYPE}.Secret", "name": name, **content}


def _file(path: Path) -> dict[str, str]:
    return {"filename": str(path)}
