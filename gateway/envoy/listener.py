"""Listeners: the public one, and the one on which the edge serves itself the keys."""

from collections.abc import Sequence
from typing import Any

from gateway import contract, pages
from gateway.envoy import browsers, errors, filters, headers, routes, tokens
from gateway.settings import Settings

TRACES_CLUSTER = "edge_traces"
CONNECTION_IDLE_S = 330
_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_MANAGER = f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"


def public(
    contracted: contract.Contract, settings: Settings, descriptors: bytes, served: Sequence[pages.Page]
) -> dict[str, Any]:
    """The listener that callers reach."""
    return {
        "name": "edge",
        "address": {"socket_address": {"address": settings.listen.host, "port_value": settings.listen.port}},
        "per_connection_buffer_limit_bytes": max(settings.max_request_bytes, 65536),
        "filter_chains": [{"filters": [_public_manager(contracted, settings, descriptors, served)]}],
    }


def keys(contracted: contract.Contract, settings: Settings, descriptors: bytes) -> dict[str, Any]:
    """The listener that only this process reaches: the keys' route, transcoded, without limits."""
    method = next(each for each in contracted.exposed if any(rule.path == tokens.KEYS_PATH for rule in each.http))
    route = {"match": {"path": method.grpc_path}, "route": {"cluster": method.service, "timeout": "2s"}}
    self_ = {"match": {"path": tokens.KEYS_PATH}, "direct_response": {"status": 404}}
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "keys",
        "route_config": {"virtual_hosts": [{"name": "keys", "domains": ["*"], "routes": [route, self_]}]},
        "http_filters": [
            filters.transcoder([method.service_full_name], descriptors, settings.max_request_bytes),
            filters.router(),
        ],
    }
    return {
        "name": "keys",
        "address": {"pipe": {"path": tokens.keys_socket(settings.listen)}},
        "filter_chains": [{"filters": [_manager(manager)]}],
    }


def _manager(config: dict[str, Any]) -> dict[str, Any]:
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def _public_manager(
    contracted: contract.Contract, settings: Settings, descriptors: bytes, served: Sequence[pages.Page]
) -> dict[str, Any]:
    return _manager(
        {
            "@type": _MANAGER,
            "stat_prefix": "edge",
            "codec_type": "AUTO",
            **_identity(contracted, settings),
            **_paths(),
            **_limits(),
            **_tracing(settings),
            "local_reply_config": errors.local_replies(),
            "access_log": [_access_log(settings.access_log)],
            "route_config": _route_config(contracted, settings, served),
            "http_filters": filters.chain(contracted, settings, descriptors),
        }
    )


def _identity(contracted: contract.Contract, settings: Settings) -> dict[str, Any]:
    """Who is calling is decided here, never by the caller's headers."""
    read_by_methods = {name for method in contracted.exposed for name in method.headers}
    return {
        "use_remote_address": True,
        "xff_num_trusted_hops": settings.trusted_hops,
        # No address is trusted to steer the edge by x-envoy-* headers, private ones neither.
        "internal_address_config": {"unix_sockets": False},
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "server_header_transformation": "PASS_THROUGH",
        "early_header_mutation_extensions": [
            {
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {
                    "@type": f"{_EXTENSIONS}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                    "mutations": [headers.at_the_door(read_by_methods)],
                },
            }
        ],
    }


def _tracing(settings: Settings) -> dict[str, Any]:
    """Spans, when there is a collector: for the caller's sampled traces, and for a share of the others."""
    if settings.tracing is None:
        return {}
    provider = {
        "name": "envoy.tracers.opentelemetry",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            "grpc_service": {"envoy_grpc": {"cluster_name": TRACES_CLUSTER}, "timeout": "0.25s"},
            "service_name": "edge",
        },
    }
    return {"tracing": {"random_sampling": {"value": settings.trace_ratio * 100}, "provider": provider}}


def _paths() -> dict[str, Any]:
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
    }


def _limits() -> dict[str, Any]:
    return {
        "common_http_protocol_options": {
            # Longer than a load balancer keeps its connections to us: who closes first must be the one that sends.
            "idle_timeout": f"{CONNECTION_IDLE_S}s",
            "headers_with_underscores_action": "DROP_HEADER",
            "max_headers_count": headers.MOST_HEADERS,
        },
        "http_protocol_options": {
            # Health checks and small tools still speak 1.0, often without a Host.
            "accept_http_10": True,
            "default_host_for_http_10": "edge",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 1000,
            "initial_stream_window_size": 65536,
            "initial_connection_window_size": 1048576,
        },
        "max_request_headers_kb": headers.MOST_KIB,
        "request_headers_timeout": "5s",
        "request_timeout": "15s",
        "stream_idle_timeout": "60s",
        "drain_timeout": "5s",
    }


def _route_config(contracted: contract.Contract, settings: Settings, served: Sequence[pages.Page]) -> dict[str, Any]:
    longest = max((len(page.text.encode()) for page in served), default=0)
    return {
        "name": "edge",
        "max_direct_response_body_size_bytes": max(longest, 4096),
        "virtual_hosts": [
            {
                "name": "edge",
                "domains": ["*"],
                "response_headers_to_add": [
                    {"header": {"key": "x-content-type-options", "value": "nosniff"}},
                    # What a cache keeps for one origin must not be shown to another.
                    {"header": {"key": "vary", "value": "Origin"}},
                ],
                "request_headers_to_add": [headers.CLIENT_ADDRESS],
                "request_headers_to_remove": list(headers.NOT_FORWARDED),
                "typed_per_filter_config": {"envoy.filters.http.cors": browsers.policy(settings.allowed_origins)},
                "routes": routes.table(contracted, settings, served),
            }
        ],
    }


def _access_log(path: str) -> dict[str, Any]:
    kind, place = ("file", {"path": path}) if path else ("stdout", {})
    type_name = (
        f"{_EXTENSIONS}.access_loggers.file.v3.FileAccessLog"
        if path
        else f"{_EXTENSIONS}.access_loggers.stream.v3.StdoutAccessLog"
    )
    line = {
        "time": "%START_TIME%",
        "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        # The path as it came, without its query, whose values may be anybody's secrets.
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "rpc": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
        "flags": "%RESPONSE_FLAGS%",
        "detail": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "upstream_ms": "%RESPONSE_DURATION%",
        "upstream": "%UPSTREAM_HOST%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "sub": f"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{tokens.METADATA}:sub)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "trace_id": "%TRACE_ID%",
        "traceparent": "%REQ(TRACEPARENT)%",
    }
    return {
        "name": f"envoy.access_loggers.{kind}",
        "typed_config": {"@type": type_name, "log_format": {"json_format": line}, **place},
    }
