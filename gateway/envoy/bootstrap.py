"""The whole configuration."""

from collections.abc import Sequence
from typing import Any

from gateway import contract, pages
from gateway.envoy import clusters, listener, routes, tokens
from gateway.settings import Settings

_DOWNSTREAM = (
    "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
)
_MAX_PROGRAM = 20_000


def configuration(
    contracted: contract.Contract, settings: Settings, descriptors: bytes, served: Sequence[pages.Page]
) -> dict[str, Any]:
    """Envoy's bootstrap file. It refers to no other file but, with mutual TLS, the one of its secrets."""
    return {
        "node": {"id": "edge", "cluster": "edge"},
        "admin": {"address": {"socket_address": {"address": settings.admin.host, "port_value": settings.admin.port}}},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {"@type": _DOWNSTREAM, "max_active_downstream_connections": 20_000},
                }
            ]
        },
        # Envoy doubts long regular expressions, because others may have written them. These come from the contract and run in
        # time that is linear in what they look at, however long they are.
        "layered_runtime": {
            "layers": [{"name": "edge", "static_layer": {"re2.max_program_size.error_level": _MAX_PROGRAM}}]
        },
        "static_resources": {
            "listeners": [
                listener.public(contracted, settings, descriptors, served),
                listener.keys(contracted, settings, descriptors),
            ],
            "clusters": [
                *(clusters.service(name, settings) for name in settings.services),
                clusters.pipe(tokens.KEYS_CLUSTER, tokens.keys_socket(settings.listen)),
                *([clusters.plain(listener.TRACES_CLUSTER, [settings.tracing])] if settings.tracing else []),
                {"name": routes.NOWHERE, "type": "STATIC", "load_assignment": {"cluster_name": routes.NOWHERE}},
            ],
        },
    }
