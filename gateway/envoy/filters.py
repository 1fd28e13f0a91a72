"""The HTTP filters, in the order in which a request passes them; a response passes them backwards."""

import base64
import re
from pathlib import Path
from typing import Any

from gateway import contract
from gateway.envoy import browsers, headers, rate_limits, refusals, tokens
from gateway.settings import Settings

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_FILTERS = f"{_EXTENSIONS}.filters.http"

# A REST caller may say by `grpc-timeout` how long it waits, and nothing else in gRPC's words.
_GRPCS_OWN = ("grpc-accept-encoding", "grpc-encoding")
_OF_THE_TRANSPORT = (
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-accept-encoding",
    "grpc-encoding",
    "x-envoy-upstream-healthchecked-cluster",
)
# What a stream may hold by flow control anyway, so that an anonymous caller costs no more than before.
_MAX_UNSIZED_BYTES = 65536
_NOTES = "souk.edge.json"
# The name of the rule that refuses what is no JSON.
NO_JSON = "no-json"
_SCRIPT = Path(__file__).with_name("edge.lua")
_BEARER = r"(?i:bearer) +[^ ]+"
_AS_USUAL = r"[Bb]earer [^ ]+"


def chain(contracted: contract.Contract, settings: Settings, descriptors: bytes) -> list[dict[str, Any]]:
    """Browsers, gRPC-Web, HEAD and 304, compression, health, transcoding; then, on the method's route, token, limit and size."""
    clusters = [service.name for service in contracted.services]
    return [
        _readable_by_browsers(settings.allowed_origins),
        _filter("grpc_web", "grpc_web.v3.GrpcWeb"),
        _filter("cors", "cors.v3.Cors"),
        _script(),
        _compressor(),
        _without_grpcs_headers(),
        health("/livez", []),
        health("/healthz", clusters),
        _unsized_buffer(refusals.uploads(contracted.exposed)),
        *_strict_json(),
        transcoder([service.full_name for service in contracted.services], descriptors, settings.max_request_bytes),
        tokens.authentication(settings),
        rate_limits.FILTER,
        _buffer(settings.max_request_bytes),
        router(),
    ]


def health(path: str, clusters: list[str]) -> dict[str, Any]:
    """Answers 200 at a path while at least half of the hosts of each of these clusters are healthy, else 503."""
    return _filter(
        "health_check",
        "health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": path}}],
        **({"cluster_min_healthy_percentages": {name: {"value": 50} for name in clusters}} if clusters else {}),
    )


def transcoder(services: list[str], descriptors: bytes, max_request_bytes: int) -> dict[str, Any]:
    """JSON to gRPC and back, for the REST routes of these services."""
    return _filter(
        "grpc_json_transcoder",
        "grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor_bin=base64.b64encode(descriptors).decode(),
        services=services,
        convert_grpc_status=True,
        auto_mapping=False,
        max_request_body_size=max_request_bytes,
        url_unescape_spec="ALL_CHARACTERS_EXCEPT_RESERVED",
        query_param_unescape_plus=True,
        print_options={
            "always_print_primitive_fields": True,
            "preserve_proto_field_names": True,
            # A stream is one JSON object per line, each readable when it arrives.
            "stream_newline_delimited": True,
        },
        request_validation_options={
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            # The path alone says which resource is meant: see `refusals.of_rest` for the query.
            "reject_binding_body_field_collisions": True,
        },
    )


def router() -> dict[str, Any]:
    """The last filter: it forwards, and tells the caller nothing about how."""
    return _filter("router", "router.v3.Router", suppress_envoy_headers=True)


def _compressor() -> dict[str, Any]:
    library = {
        "@type": f"{_EXTENSIONS}.compression.gzip.compressor.v3.Gzip",
        "compression_level": "COMPRESSION_LEVEL_1",
    }
    return _filter(
        "compressor",
        "compressor.v3.Compressor",
        response_direction_config={"common_config": {"min_content_length": 1024}},
        compressor_library={"name": "gzip", "typed_config": library},
    )


def _without_grpcs_headers() -> dict[str, Any]:
    """Takes gRPC's own headers off REST calls and their answers. Requests that are gRPC when they arrive skip it.

    What they say of a call is not true of the one that the transcoder makes, and gRPC refuses a call that they say wrongly.
    """
    mutation = _filter(
        "header_mutation",
        "header_mutation.v3.HeaderMutation",
        mutations={
            "request_mutations": [{"remove": name} for name in _GRPCS_OWN],
            "response_mutations": [{"remove": name} for name in _OF_THE_TRANSPORT],
        },
    )
    return _skipped_if("json_headers", mutation, _header("content-type", {"prefix": "application/grpc"}))


def _readable_by_browsers(origins: tuple[str, ...]) -> dict[str, Any]:
    """Lets scripts of the allowed origins read every answer. The CORS filter does so only for what a service answers."""
    mutation = _filter(
        "header_mutation",
        "header_mutation.v3.HeaderMutation",
        mutations={"response_mutations": browsers.readable("%REQ(ORIGIN)%")},
    )
    allowed = _header("origin", _regex("|".join(re.escape(origin) for origin in origins)))
    return _skipped_if("readable_by_browsers", mutation, {"not_matcher": allowed})


def _script() -> dict[str, Any]:
    """HEAD, 304, other spellings of `Bearer`, broken traces, strange agents. Only requests that need one of them pay for it."""
    lua = _filter("lua", "lua.v3.Lua", default_source_code={"inline_string": _SCRIPT.read_text()})
    unusual = [
        {"not_matcher": _header("authorization", _regex(_AS_USUAL))},
        _header("authorization", _regex(_BEARER)),
    ]
    broken = [
        _header("traceparent", _regex("(?s:.+)")),
        {"not_matcher": _header("traceparent", _regex(headers.TRACEPARENT))},
    ]
    strange = [
        _header("user-agent", _regex("(?s:.+)")),
        {"not_matcher": _header("user-agent", _regex(r"[\t -~]*"))},
    ]
    needed = [
        _header("if-none-match", _regex(".+")),
        _header(":method", {"exact": "HEAD"}),
        {"and_matcher": {"predicate": unusual}},
        {"and_matcher": {"predicate": broken}},
        {"and_matcher": {"predicate": strange}},
    ]
    return _skipped_if("script", lua, {"not_matcher": {"or_matcher": {"predicate": needed}}})


def _unsized_buffer(uploads: list[contract.Method]) -> dict[str, Any]:
    """Holds a REST body that does not say its length, up to a small limit, until all of it is there.

    The transcoder parses what arrives and would keep one endless JSON string in memory without any limit. A body that
    says its length is judged by it (see `routes`), and gRPC and uploads are not parsed.
    """
    raw = [_header(":path", _regex(refusals.upload_paths(uploads)))] if uploads else []
    skip = {
        "or_matcher": {
            "predicate": [
                _header("content-type", {"prefix": "application/grpc"}),
                _header("content-length", _regex("[0-9]+")),
                # Whatever follows it is no body, and it is refused anyway.
                _header(":method", {"exact": "CONNECT"}),
                *raw,
            ]
        }
    }
    return _skipped_if("unsized_buffer", _buffer(_MAX_UNSIZED_BYTES), skip)


def _strict_json() -> list[dict[str, Any]]:
    """Refuses bodies that are no JSON (RFC 8259), which the transcoder's own parser would guess at.

    One filter parses the body strictly and notes whether that failed, the next refuses what was noted. The parser makes a tree,
    80 times as large as a body of small numbers: so only bodies that say to be smaller than 100 kB are judged, as all are that
    do not say their length. The transcoder reads the others as leniently as it does.
    """
    failed = {"metadata_namespace": _NOTES, "key": "json", "value": "broken"}
    parsed = {"metadata_namespace": _NOTES, "key": "json", "value": "read"}
    rule = {"selectors": [{"key": "none"}], "on_present": parsed, "on_missing": parsed, "on_error": failed}
    reader = _filter(
        "json_to_metadata",
        "json_to_metadata.v3.JsonToMetadata",
        request_rules={
            "rules": [rule],
            # Most clients that send JSON by hand forget to say so.
            "allow_content_types_regex": {"regex": ".*"},
            "allow_empty_content_type": True,
        },
    )
    broken = {"filter": _NOTES, "path": [{"key": "json"}], "value": {"string_match": {"exact": "broken"}}}
    policy = {"permissions": [{"sourced_metadata": {"metadata_matcher": broken}}], "principals": [{"any": True}]}
    judge = _filter("rbac", "rbac.v3.RBAC", rules={"action": "DENY", "policies": {NO_JSON: policy}})
    # Off but on the routes of requests that have such a body: others have no such filters at all.
    return [reader | {"disabled": True}, judge | {"disabled": True}]


def _buffer(max_request_bytes: int) -> dict[str, Any]:
    """Forwards a request when all of it is there: half a request, a malformed or an oversized one costs no service."""
    return _filter("buffer", "buffer.v3.Buffer", max_request_bytes=max_request_bytes)


def _skipped_if(name: str, wrapped: dict[str, Any], predicate: dict[str, Any]) -> dict[str, Any]:
    """A filter that only sees the requests for which the predicate does not hold."""
    skip = {"name": "skip", "typed_config": {"@type": f"{_EXTENSIONS}.filters.common.matcher.action.v3.SkipFilter"}}
    matcher = {"predicate": predicate, "on_match": {"action": skip}}
    return {
        "name": name,
        "typed_config": {
            "@type": f"{_EXTENSIONS}.common.matching.v3.ExtensionWithMatcher",
            "extension_config": wrapped,
            "xds_matcher": {"matcher_list": {"matchers": [matcher]}},
        },
    }


def _regex(pattern: str) -> dict[str, Any]:
    """Matches whole values. These matchers, unlike those of routes, want the engine named."""
    return {"safe_regex": {"google_re2": {}, "regex": pattern}}


def _header(name: str, value_match: dict[str, Any]) -> dict[str, Any]:
    """A predicate on a request header, as it is when the request arrives at the filter."""
    header = {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": name}
    return {"single_predicate": {"input": {"name": name, "typed_config": header}, "value_match": value_match}}


def _filter(name: str, type_name: str, **config: Any) -> dict[str, Any]:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"{_FILTERS}.{type_name}", **config}}
