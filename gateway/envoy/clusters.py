"""Clusters: where the services are, how their health is watched, and how much may be in flight to them."""

from collections.abc import Sequence
from typing import Any

from gateway.envoy import mesh
from gateway.settings import Address, Settings

_HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_DNS = "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster"
# Far above what one edge forwards: the limits are there to bound memory, not to shed load. Rate limits do that.
_MAX_IN_FLIGHT = 20_000


def service(name: str, settings: Settings) -> dict[str, Any]:
    """The cluster of a service: gRPC over HTTP/2, least-loaded first, health checked and ejected when it fails."""
    return {
        "name": name,
        **_endpoints(name, settings.services[name]),
        **mesh.connection(name, settings),
        "connect_timeout": "0.5s",
        "lb_policy": "LEAST_REQUEST",
        "typed_extension_protocol_options": _http2(),
        "health_checks": [_HEALTH_CHECK],
        # With one address there is nowhere else to send requests, so it is never ejected (50 % of 1 is 0).
        "outlier_detection": {
            "consecutive_5xx": 20,
            "consecutive_gateway_failure": 5,
            "interval": "1s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 50,
        },
        "circuit_breakers": {"thresholds": [_thresholds()]},
    }


def plain(name: str, addresses: Sequence[Address]) -> dict[str, Any]:
    """A gRPC cluster without health checks, for the trace collector."""
    return {
        "name": name,
        **_endpoints(name, addresses),
        "connect_timeout": "0.5s",
        "typed_extension_protocol_options": _http2(),
    }


def pipe(name: str, path: str) -> dict[str, Any]:
    """A cluster that reaches a listener of this same process over a socket."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": path}}}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


# A service that was restarted is back within half a second; one that died is noticed within one.
_HEALTH_CHECK = {
    "timeout": "1s",
    "interval": "1s",
    "unhealthy_interval": "0.5s",
    "no_traffic_interval": "1s",
    "no_traffic_healthy_interval": "1s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 1,
    # The empty name asks for the server as a whole.
    "grpc_health_check": {},
}


# Addresses of pods that come and go. A pod that is to end still answers that it is well for as long as its preStop lasts: it
# must be left alone as soon as its name's answer lacks it, and not only when its server is about to close.
_BY_NAME = {
    "cluster_type": {
        "name": "envoy.cluster.dns",
        "typed_config": {"@type": _DNS, "dns_lookup_family": "V4_PREFERRED", "dns_refresh_rate": "1s"},
    },
    "ignore_health_on_host_removal": True,
}


def _thresholds() -> dict[str, Any]:
    return {
        "max_connections": _MAX_IN_FLIGHT,
        "max_pending_requests": _MAX_IN_FLIGHT,
        "max_requests": _MAX_IN_FLIGHT,
        "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 10},
    }


def _endpoints(name: str, addresses: Sequence[Address]) -> dict[str, Any]:
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": address.host, "port_value": address.port}}}}
        for address in addresses
    ]
    discovery = {"type": "STATIC"} if all(address.is_ip for address in addresses) else _BY_NAME
    return {**discovery, "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}}


def _http2() -> dict[str, Any]:
    keepalive = {"interval": "30s", "timeout": "5s"}
    explicit = {"http2_protocol_options": {"connection_keepalive": keepalive}}
    return {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": _HTTP, "explicit_http_config": explicit}
    }
