"""Requests that are refused by their headers alone, before any of the body is read and any service is asked.

Each refusal is a route that answers by itself. Its name is what `errors` knows it by, its body what the message says.
Those that gRPC callers can meet stand before the methods' routes; the rest stand behind them, where only REST calls come.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from gateway import contract

TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
BUFFER = "envoy.filters.http.buffer"
FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
UNTRANSCODED = {TRANSCODER: {"@type": FILTER_CONFIG, "disabled": True}}
# gRPC, gRPC-Web, and a REST call once it is transcoded.
IS_GRPC = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}

TOO_LARGE = "too-large"
NOT_ASCII = "header-not-ascii"
COMPRESSED = "compressed"
ESCAPED_NAME = "query-name-escaped"
NAMES_PATH_FIELD = "query-names-path-field"
QUERY_BESIDE_BODY = "query-beside-body"

# What reaches a service and is not written anew on the way. gRPC takes ASCII only, and a key or a token that came in another
# form must not silently be none.
_READ_BY_SERVICES = ("authorization", "content-type", "grpc-timeout", "idempotency-key", "origin")
_ASCII = r"[\t -~]*"
_HAS_QUERY = {"name": ":path", "string_match": {"contains": "?"}}


def of_all(methods: Collection[contract.Method], max_request_bytes: int) -> Iterator[dict[str, Any]]:
    """Refusals of REST and gRPC calls alike. Uploads have limits of their own."""
    takers = uploads(methods)
    for method in takers:
        yield _refusal(TOO_LARGE, 413, [_beyond(method.stream_bytes), _like(upload_paths([method]))])
    others = [{**_like(upload_paths(takers)), "invert_match": True}] if takers else []
    yield _refusal(TOO_LARGE, 413, [_beyond(max_request_bytes), *others])
    for name in sorted({*_READ_BY_SERVICES, *(name for method in methods for name in method.headers)}):
        yield _refusal(NOT_ASCII, 400, [_unlike(name, _ASCII)], said=name)
    yield _compressed("content-encoding", [])
    yield _compressed("grpc-encoding", [IS_GRPC])


def uploads(methods: Iterable[contract.Method]) -> list[contract.Method]:
    """Those of the methods whose requests are streams: to a REST caller the body of a request, whatever is in it."""
    return [method for method in methods if method.client_streaming]


def upload_paths(methods: Iterable[contract.Method]) -> str:
    """A regular expression for the REST paths of uploads, their queries included."""
    paths = "|".join(path_pattern(rule.path) for method in methods for rule in method.http)
    return rf"({paths})(\?.*)?"


def of_rest(methods: Iterable[contract.Method]) -> Iterator[dict[str, Any]]:
    """Refusals of REST calls for their query. Calls without one pay for a search of a question mark in each route.

    The path alone says which resource is meant: the transcoder would take a query's word over the path's, while every log and
    cache on the way goes by the path. Methods that take a body take all other fields from there: a password in a query would
    stand in the history of a browser and in the logs of whatever lies between. Only the body of an upload has no fields.
    """
    served = list(methods)
    rules = [rule for method in served for rule in method.http]
    # The transcoder reads escapes in names too. No name of the contract needs one, so there is one way to write each.
    yield _refusal(ESCAPED_NAME, 400, [_HAS_QUERY, _like(rf".*[?&]{_NAME}%.*")])
    for name in sorted({name for rule in rules for name in rule.path_fields}):
        paths = "|".join(sorted({path_pattern(rule.path) for rule in rules if name in rule.path_fields}))
        asked = rf"({paths})\?(.*&)?({name}|{_json_name(name)})([=&.].*)?"
        yield _refusal(NAMES_PATH_FIELD, 400, [_HAS_QUERY, _like(asked)], said=name)
    bodies = [rule for method in served for rule in method.http if rule.body and not method.client_streaming]
    for verb in sorted({rule.verb for rule in bodies}):
        paths = "|".join(sorted({path_pattern(rule.path) for rule in bodies if rule.verb == verb}))
        yield _refusal(QUERY_BESIDE_BODY, 400, [_is(verb), _HAS_QUERY, _like(rf"({paths})\?.+")])


def path_pattern(template: str) -> str:
    """A regular expression for the paths of a template."""
    return "/".join("[^/?]+" if segment.startswith("{") else re.escape(segment) for segment in template.split("/"))


# The part of a query parameter's name before an escape.
_NAME = "[^=&%]*"


def _compressed(header: str, others: list[dict[str, Any]]) -> dict[str, Any]:
    refusal = _refusal(COMPRESSED, 415, [_unlike(header, "(?i:identity)?"), *others])
    accepted = [{"header": {"key": name, "value": "identity"}} for name in ("accept-encoding", "grpc-accept-encoding")]
    return refusal | {"response_headers_to_add": accepted}


def _refusal(name: str, status: int, headers: list[dict[str, Any]], *, said: str = "") -> dict[str, Any]:
    return {
        "match": {"prefix": "/", "headers": headers},
        "name": name,
        "direct_response": {"status": status, **({"body": {"inline_string": said}} if said else {})},
        "typed_per_filter_config": {**UNTRANSCODED, BUFFER: {"@type": FILTER_CONFIG, "disabled": True}},
    }


def _beyond(most_bytes: int) -> dict[str, Any]:
    return {"name": "content-length", "range_match": {"start": most_bytes + 1, "end": 2**63 - 1}}


def _is(verb: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"exact": verb}}


def _like(pattern: str) -> dict[str, Any]:
    return {"name": ":path", "string_match": {"safe_regex": {"regex": pattern}}}


def _unlike(name: str, pattern: str) -> dict[str, Any]:
    """The header is there and is something else than this."""
    return {"name": name, "invert_match": True, "string_match": {"safe_regex": {"regex": pattern}}}


def _json_name(name: str) -> str:
    return re.sub("_([a-z0-9])", lambda found: found.group(1).upper(), name)
