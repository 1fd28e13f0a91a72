"""Mutual TLS towards the services: the edge's own certificate, and whose certificate each service must show.

Files that are named in the configuration itself are read once. Named by secrets that Envoy watches, they are read again
whenever the folder's files are exchanged. `generate` writes a file for each secret beside the configuration: Envoy refuses
one that holds two.
"""

from pathlib import Path
from typing import Any

from gateway.settings import Settings

_TRUST_DOMAIN = "spiffe://souk/"
_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_OWN, _TRUSTED = "own", "trusted"


def connection(service: str, settings: Settings) -> dict[str, Any]:
    """What a cluster says of its connections; nothing while the mesh speaks plain text."""
    if not settings.tls:
        return {}
    whose = {"san_type": "URI", "matcher": {"exact": f"{_TRUST_DOMAIN}{service}"}}
    context = {
        "@type": f"{_TYPE}.UpstreamTlsContext",
        "sni": service,
        "common_tls_context": {
            # Upstream, Envoy offers 1.2 at most unless it is told.
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [_source(_OWN, settings.folder)],
            "combined_validation_context": {
                "default_validation_context": {"match_typed_subject_alt_names": [whose]},
                "validation_context_sds_secret_config": _source(_TRUSTED, settings.folder),
            },
        },
    }
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def secrets(tls: Path) -> dict[str, Any]:
    """The files of secrets by name, for certificates in this folder."""
    watched = {"watched_directory": {"path": str(tls)}}
    own = {"certificate_chain": _file(tls / "tls.crt"), "private_key": _file(tls / "tls.key"), **watched}
    trusted = {"trusted_ca": _file(tls / "ca.crt"), **watched}
    return {
        _named(_OWN): _secret(_OWN, {"tls_certificate": own}),
        _named(_TRUSTED): _secret(_TRUSTED, {"validation_context": trusted}),
    }


def _secret(name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"resources": [{"@type": f"{_TYPE}.Secret", "name": name, **content}]}


def _source(name: str, folder: Path) -> dict[str, Any]:
    watched = {"path_config_source": {"path": str(folder / _named(name))}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": watched}


def _named(name: str) -> str:
    return f"secret-{name}.yaml"


def _file(path: Path) -> dict[str, str]:
    return {"filename": str(path)}
