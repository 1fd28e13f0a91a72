"""Routes: one per method, found by its gRPC path, which is also what a REST call becomes.

A request passes the route table twice. A REST call first matches one of the last routes (that is where CORS is decided),
then the transcoder rewrites it to the method's gRPC path and it is matched again. Everything the contract says about a
method (timeout, retries, rate limit, who may call) stands at its one route, whatever way the call came in.
"""

from collections.abc import Sequence
from typing import Any

from gateway import contract, pages
from gateway.contract import Idempotency
from gateway.envoy import rate_limits, refusals, tokens, verbs
from gateway.settings import Settings

_PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
_BUFFER_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
# A stream ends when nothing was sent on it for so long; a call ends at its timeout.
STREAM_IDLE_S = 300
NOWHERE = "edge_nowhere"
_READS = {"regex": "GET|HEAD"}


def table(contracted: contract.Contract, settings: Settings, served: Sequence[pages.Page]) -> list[dict[str, Any]]:
    """All routes, in the order in which they are tried; served are the texts that Envoy itself answers with."""
    exposed = list(contracted.exposed)
    return [
        *refusals.of_all(exposed, settings.max_request_bytes),
        *(_method(method, settings) for method in exposed),
        *(_page(page) for page in served),
        *verbs.unknown(),
        *refusals.of_rest(exposed),
        *verbs.answers(verbs.allowed(exposed, [page.path for page in served]), {"cluster": NOWHERE}),
        *_raw(exposed),
        _rest(_JUDGED, filters_on=True),
        _rest([]),
        _nowhere(),
    ]


def _method(method: contract.Method, settings: Settings) -> dict[str, Any]:
    limit = method.rate_limit
    assert limit is not None  # noqa: S101 - contract.read refuses an exposed method without one
    return {
        "match": {"path": method.grpc_path, "headers": [refusals.IS_GRPC]},
        "name": method.full_name,
        "route": {
            "cluster": method.service,
            **_duration(method),
            "retry_policy": retry_policy(method.idempotency),
        },
        **_deadline(method),
        **_caching(method),
        "typed_per_filter_config": {
            **tokens.requirement(method),
            rate_limits.FILTER["name"]: rate_limits.for_route(method, limit, settings.rate_limit_factor),
            **_unbuffered(method),
        },
    }


def _unbuffered(method: contract.Method) -> dict[str, Any]:
    """An upload goes on as it arrives: the service bounds it, and no piece of it is kept here."""
    if not method.client_streaming:
        return {}
    return {refusals.BUFFER: {"@type": _BUFFER_PER_ROUTE, "disabled": True}}


def _deadline(method: contract.Method) -> dict[str, Any]:
    """What a service is told of the deadline: the contract's, whatever the caller's is.

    A caller's shorter deadline is kept by the edge, which resets the call at the service when it has passed. If the service
    kept it, it would answer DEADLINE_EXCEEDED, which counts against the host: callers who allow a nanosecond would get healthy
    hosts ejected, one after the other.
    """
    if not method.timeout_ms:
        return {"request_headers_to_remove": ["grpc-timeout"]}
    header = {"key": "grpc-timeout", "value": f"{method.timeout_ms}m"}
    return {"request_headers_to_add": [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]}


def _duration(method: contract.Method) -> dict[str, Any]:
    """How long a call may take, from its first byte to its last, retries included.

    A caller's shorter `grpc-timeout` is honoured, a longer one cut to the contract's; either way the service is told.
    """
    if not method.timeout_ms:
        return {"idle_timeout": f"{STREAM_IDLE_S}s", "max_stream_duration": {"grpc_timeout_header_max": "0s"}}
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
        "typed_per_filter_config": refusals.UNTRANSCODED,
    }


# Requests whose body is judged before it is transcoded; see `filters` for why no larger ones are.
_JUDGED: list[dict[str, Any]] = [
    {"name": ":method", "string_match": {"safe_regex": {"regex": "PATCH|POST|PUT"}}},
    {
        "name": "content-length",
        "string_match": {"safe_regex": {"regex": "[0-9]{0,5}"}},
        "treat_missing_header_as_empty": True,
    },
]
_JSON_FILTERS = {
    name: {"@type": refusals.FILTER_CONFIG, "config": {}}
    for name in ("envoy.filters.http.json_to_metadata", "envoy.filters.http.rbac")
}


def _rest(headers: list[dict[str, Any]], *, filters_on: bool = False) -> dict[str, Any]:
    """Where every REST call passes before it is transcoded.

    CORS applies only on a route with a cluster. Nothing is forwarded on this one: the transcoder answers 404 to what it
    does not know, and the cluster has no hosts.
    """
    not_grpc = {**refusals.IS_GRPC, "invert_match": True, "treat_missing_header_as_empty": True}
    route = {"match": {"prefix": "/", "headers": [not_grpc, *headers]}, "name": "rest", "route": {"cluster": NOWHERE}}
    return route | ({"typed_per_filter_config": _JSON_FILTERS} if filters_on else {})


def _raw(methods: Sequence[contract.Method]) -> list[dict[str, Any]]:
    """The body of an upload, or of a webhook, is no JSON to the edge: it is not judged."""
    takers = [method for method in methods if method.raw]
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": refusals.upload_paths(takers)}}}
    return [_rest([path])] if takers else []


def _nowhere() -> dict[str, Any]:
    return {"match": {"prefix": "/"}, "name": "nowhere", "direct_response": {"status": 404}}
