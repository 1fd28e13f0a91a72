"""Routes: one per method, found by its gRPC path, which is also what a REST call becomes.

A request passes the route table twice. A REST call first matches one of the last routes (that is where CORS is decided),
then the transcoder rewrites it to the method's gRPC path and it is matched again. Everything the contract says about a
method (timeout, retries, rate limit, who may call) stands at its one route, whatever way the call came in.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gateway import contract, pages
from gateway.contract import Idempotency
from gateway.envoy import rate_limits, tokens
from gateway.settings import Settings

TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
BUFFER = "envoy.filters.http.buffer"
_FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
_PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
# A stream ends when nothing was sent on it for so long; a call ends at its timeout.
_STREAM_IDLE_S = 300
NOWHERE = "edge_nowhere"
# gRPC, gRPC-Web, and a REST call once it is transcoded.
_IS_GRPC = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
_READS = {"regex": "GET|HEAD"}
_UNTRANSCODED = {TRANSCODER: {"@type": _FILTER_CONFIG, "disabled": True}}


def table(contracted: contract.Contract, settings: Settings, served: Sequence[pages.Page]) -> list[dict[str, Any]]:
    """All routes, in the order in which they are tried; served are the texts that Envoy itself answers with."""
    exposed = list(contracted.exposed)
    return [
        _too_large(settings.max_request_bytes),
        *(_method(method, settings) for method in exposed),
        *(_page(page) for page in served),
        *_wrong_verbs(exposed),
        _rest(),
        _nowhere(),
    ]


def _too_large(max_request_bytes: int) -> dict[str, Any]:
    """What says beforehand that it is too large is refused before any of it is read."""
    beyond = {"start": max_request_bytes + 1, "end": 2**63 - 1}
    return {
        "match": {"prefix": "/", "headers": [{"name": "content-length", "range_match": beyond}]},
        "name": "too-large",
        "direct_response": {"status": 413},
        "typed_per_filter_config": {**_UNTRANSCODED, BUFFER: {"@type": _FILTER_CONFIG, "disabled": True}},
    }


def _method(method: contract.Method, settings: Settings) -> dict[str, Any]:
    limit = method.rate_limit
    assert limit is not None  # noqa: S101 - contract.read refuses an exposed method without one
    return {
        "match": {"path": method.grpc_path, "headers": [_IS_GRPC]},
        "name": method.full_name,
        "route": {
            "cluster": method.service,
            **_duration(method),
            "retry_policy": retry_policy(method.idempotency),
        },
        **_caching(method),
        "typed_per_filter_config": {
            **tokens.requirement(method),
            rate_limits.FILTER["name"]: rate_limits.for_route(method, limit, settings.rate_limit_factor),
        },
    }


def _duration(method: contract.Method) -> dict[str, Any]:
    """How long a call may take, from its first byte to its last, retries included.

    A caller's shorter `grpc-timeout` is honoured, a longer one cut to the contract's; either way the service is told.
    """
    if not method.timeout_ms:
        return {"idle_timeout": f"{_STREAM_IDLE_S}s", "max_stream_duration": {"grpc_timeout_header_max": "0s"}}
    # Envoy ignores `timeout` where `max_stream_duration` is given; the latter alone knows of `grpc-timeout`.
    longest = f"{method.timeout_ms / 1000:g}s"
    return {"max_stream_duration": {"max_stream_duration": longest, "grpc_timeout_header_max": longest}}


def _caching(method: contract.Method) -> dict[str, Any]:
    """What depends on who asks is never kept by a cache on the way."""
    if method.access.public:
        return {}
    header = {"key": "cache-control", "value": "no-store"}
    return {"response_headers_to_add": [{"header": header, "append_action": "ADD_IF_ABSENT"}]}


def retry_policy(idempotency: Idempotency) -> dict[str, Any]:
    """Retries, on another host where there is one.

    What may be repeated is repeated whenever the service was away; what has a key only if the service cannot have seen
    it; the rest never.
    """
    conditions = {
        Idempotency.SAFE: "connect-failure,refused-stream,reset-before-request,unavailable",
        Idempotency.IDEMPOTENT: "connect-failure,refused-stream,reset-before-request,unavailable",
        Idempotency.KEYED: "connect-failure,refused-stream",
    }
    if idempotency not in conditions:
        return {}
    return {
        "retry_on": conditions[idempotency],
        "num_retries": 2,
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": _PREVIOUS_HOSTS}}
        ],
        "host_selection_retry_max_attempts": 3,
    }


def _page(page: pages.Page) -> dict[str, Any]:
    headers = {"content-type": page.content_type, **page.headers}
    return {
        "match": {"path": page.path, "headers": [{"name": ":method", "string_match": {"safe_regex": _READS}}]},
        "name": page.path.strip("/"),
        "direct_response": {"status": 200, "body": {"inline_string": page.text}},
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
        "typed_per_filter_config": _UNTRANSCODED,
    }


def _wrong_verbs(methods: Iterable[contract.Method]) -> Iterator[dict[str, Any]]:
    """405 for paths that exist with other verbs only."""
    verbs: dict[str, set[str]] = {}
    for method in methods:
        for rule in method.http:
            verbs.setdefault(_path_pattern(rule.path), set()).add(rule.verb)
    for pattern, allowed in verbs.items():
        yield _wrong_verb(pattern, sorted(allowed))


def _wrong_verb(pattern: str, allowed: list[str]) -> dict[str, Any]:
    # OPTIONS is left to CORS.
    taken = "|".join([*allowed, "OPTIONS"])
    other = {"name": ":method", "invert_match": True, "string_match": {"safe_regex": {"regex": taken}}}
    return {
        "match": {"safe_regex": {"regex": pattern}, "headers": [other]},
        "direct_response": {"status": 405},
        "response_headers_to_add": [{"header": {"key": "allow", "value": ", ".join(allowed)}}],
        "typed_per_filter_config": _UNTRANSCODED,
    }


def _path_pattern(template: str) -> str:
    return "/".join("[^/]+" if segment.startswith("{") else re.escape(segment) for segment in template.split("/"))


def _rest() -> dict[str, Any]:
    """Where every REST call passes before it is transcoded.

    CORS applies only on a route with a cluster. Nothing is forwarded on this one: the transcoder answers 404 to what it
    does not know, and the cluster has no hosts.
    """
    not_grpc = {**_IS_GRPC, "invert_match": True, "treat_missing_header_as_empty": True}
    return {"match": {"prefix": "/", "headers": [not_grpc]}, "name": "rest", "route": {"cluster": NOWHERE}}


def _nowhere() -> dict[str, Any]:
    return {"match": {"prefix": "/"}, "name": "nowhere", "direct_response": {"status": 404}}
