"""The edge's own errors, in the one shape that all errors have.

A service's error reaches a REST caller as `google.rpc.Status` in JSON, because the transcoder writes it so. This table
gives what Envoy answers by itself (no route, no token, too large, too often, nobody there) the same shape: a code, a
message, and an `ErrorInfo` with a reason, the domain `edge.souk` and the request's id. A gRPC caller gets the same
`ErrorInfo` in the trailer `grpc-status-details-bin`, without the id, which every response carries as a header anyway.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from gateway.envoy import browsers, filters, headers, refusals, verbs

DOMAIN = "edge.souk"
_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
# What Envoy says by itself about this request.
_SAID = "%LOCAL_REPLY_BODY%"


@dataclass(frozen=True, slots=True)
class EdgeError:
    """One error of the edge: when it is meant (a CEL expression), and what the caller gets.

    says is what Envoy's words in the message are, for documents. With names_field they are the name of a wrong field.
    """

    reason: str
    when: str
    status: int
    code: "code_pb2.Code.ValueType"
    message: str
    says: str = "why"
    names_field: bool = False


def _refused(name: str) -> str:
    """When a route of this name answered."""
    return f"xds.route_name == '{name}'"


# The first that applies is answered.
ERRORS = (
    EdgeError(
        "EDGE_NOT_READY",
        "response.code_details.startsWith('health_check_failed')",
        503,
        code_pb2.UNAVAILABLE,
        "The edge is being drained, or fewer than half of the hosts of a service are healthy.",
    ),
    EdgeError(
        "TOKEN_MISSING",
        "response.code_details == 'jwt_authn_access_denied{Jwt_is_missing}'",
        401,
        code_pb2.UNAUTHENTICATED,
        "The method requires an access token: `Authorization: Bearer <token>`.",
    ),
    EdgeError(
        "TOKEN_KEYS_UNAVAILABLE",
        # A key of another id or algorithm is the token's fault, not that of the keys.
        "response.code_details.startsWith('jwt_authn_access_denied{Jwks_') && "
        "!response.code_details.contains('key_to_match')",
        503,
        code_pb2.UNAVAILABLE,
        "The keys that verify access tokens are unavailable at the moment.",
    ),
    EdgeError(
        "TOKEN_INVALID",
        "response.code_details.startsWith('jwt_authn_access_denied')",
        401,
        code_pb2.UNAUTHENTICATED,
        f"The access token is invalid: {_SAID}.",
    ),
    EdgeError(
        "PATH_FIELD_IN_QUERY",
        _refused(refusals.NAMES_PATH_FIELD),
        400,
        code_pb2.INVALID_ARGUMENT,
        f"The field `{_SAID}` is part of the path, so it must not be a query parameter.",
        says="NAME",
        names_field=True,
    ),
    EdgeError(
        "QUERY_NOT_TAKEN",
        _refused(refusals.QUERY_BESIDE_BODY),
        400,
        code_pb2.INVALID_ARGUMENT,
        "This method takes its fields from the request's body and has no query parameters.",
    ),
    EdgeError(
        "QUERY_NAME_ESCAPED",
        _refused(refusals.ESCAPED_NAME),
        400,
        code_pb2.INVALID_ARGUMENT,
        "The names of query parameters must be written without percent-encoding; only their values may need it.",
    ),
    EdgeError(
        "HEADER_NOT_ASCII",
        _refused(refusals.NOT_ASCII),
        400,
        code_pb2.INVALID_ARGUMENT,
        f"The header `{_SAID}` may hold printable ASCII characters only.",
        says="NAME",
    ),
    EdgeError(
        "ENCODING_NOT_SUPPORTED",
        _refused(refusals.COMPRESSED),
        415,
        code_pb2.UNIMPLEMENTED,
        "Requests must not be compressed. Send the body, or the gRPC messages, as they are.",
    ),
    EdgeError(
        "METHOD_UNKNOWN",
        # Envoy judges QUERY by itself when it says no content type.
        f"{_refused(verbs.UNKNOWN)} || response.code_details == 'query_missing_content_type'",
        501,
        code_pb2.UNIMPLEMENTED,
        "No path of this API supports this HTTP method.",
    ),
    EdgeError("ROUTE_NOT_FOUND", "response.code == 404", 404, code_pb2.NOT_FOUND, "Nothing is served at this path."),
    EdgeError(
        "METHOD_NOT_ALLOWED",
        "response.code == 405",
        405,
        code_pb2.UNIMPLEMENTED,
        "The path does not support this method; the header `Allow` lists those it supports.",
    ),
    EdgeError(
        "REQUEST_TIMEOUT",
        "response.code == 408",
        408,
        code_pb2.DEADLINE_EXCEEDED,
        "The request did not arrive in time.",
    ),
    EdgeError(
        "REQUEST_TOO_LARGE", "response.code == 413", 413, code_pb2.INVALID_ARGUMENT, "The request's body is too large."
    ),
    EdgeError(
        "RATE_LIMITED",
        "response.code == 429",
        429,
        code_pb2.RESOURCE_EXHAUSTED,
        "Too many requests: retry after the seconds in the header `Retry-After`.",
    ),
    EdgeError(
        "HEADERS_TOO_LARGE",
        "response.code == 431",
        431,
        code_pb2.INVALID_ARGUMENT,
        f"The request has more than {headers.MOST_HEADERS} headers, or they are larger than {headers.MOST_KIB} KiB in all.",
    ),
    EdgeError(
        "PATH_MALFORMED",
        "response.code_details == 'path_normalization_failed'",
        400,
        code_pb2.INVALID_ARGUMENT,
        "The path is malformed, or contains an escaped slash.",
    ),
    EdgeError(
        "REQUEST_MALFORMED",
        f"response.code_details.startsWith('rbac_access_denied_matched_policy[{filters.NO_JSON}')",
        400,
        code_pb2.INVALID_ARGUMENT,
        "The request's body is not valid JSON (RFC 8259).",
    ),
    EdgeError(
        "REQUEST_MALFORMED",
        # 501 is a transfer encoding that Envoy does not know.
        "(response.code >= 400 && response.code < 500) || response.code == 501",
        400,
        code_pb2.INVALID_ARGUMENT,
        f"The request cannot be read: {_SAID}",
    ),
    EdgeError(
        "DEADLINE_EXCEEDED",
        "response.code == 504",
        504,
        code_pb2.DEADLINE_EXCEEDED,
        "The service did not answer in time. The requested change may have been made or not.",
    ),
    EdgeError(
        "UPSTREAM_UNAVAILABLE",
        "response.code == 502 || response.code == 503",
        503,
        code_pb2.UNAVAILABLE,
        "The service is unavailable at the moment.",
    ),
    EdgeError("INTERNAL", "response.code >= 500", 500, code_pb2.INTERNAL, "An internal error."),
)


def local_replies() -> dict[str, Any]:
    """How Envoy writes the answers that come from no service."""
    mappers = (mapper for error in ERRORS for mapper in (_for_grpc(error), _early(error), _for_json(error)))
    return {"mappers": [_healthy(), _options_of_all(), *mappers]}


def _healthy() -> dict[str, Any]:
    return {
        "filter": _cel("response.code_details == 'health_check_ok'"),
        "body_format_override": {"json_format": {"status": "SERVING"}},
    }


def _options_of_all() -> dict[str, Any]:
    """`OPTIONS *` asks what the server as a whole can do. Envoy has no route for a path that is none."""
    return {
        "filter": _cel("response.code_details == 'absolute_path_rejected' && request.method == 'OPTIONS'"),
        "status_code": 204,
        "body_format_override": {"text_format_source": {"inline_string": ""}},
        "headers_to_add": [{"header": {"key": "allow", "value": ", ".join(verbs.KNOWN)}}],
    }


def _for_json(error: EdgeError) -> dict[str, Any]:
    return {
        "filter": _cel(error.when),
        "status_code": error.status,
        "body_format_override": {"json_format": _body(error), "omit_empty_values": True},
        "headers_to_add": [{"header": {"key": "vary", "value": "Origin"}, "append_action": "ADD_IF_ABSENT"}],
    }


def _early(error: EdgeError) -> dict[str, Any]:
    """The answer to a request that could not be read to its end, and has no id yet."""
    mapper = _for_json(error)
    return mapper | {
        "filter": _all(_WITHOUT_ID, _cel(error.when)),
        "headers_to_add": [*mapper["headers_to_add"], *browsers.readable_early()],
    }


def _body(error: EdgeError) -> Mapping[str, Any]:
    info = {
        "@type": _ERROR_INFO,
        "reason": error.reason,
        "domain": DOMAIN,
        "metadata": {"request_id": "%REQ(X-REQUEST-ID)%"},
    }
    violation = {"field": _SAID, "description": error.message, "reason": error.reason}
    fields = [{"@type": _BAD_REQUEST, "field_violations": [violation]}] if error.names_field else []
    return {"code": error.code, "message": error.message, "details": [info, *fields]}


def _for_grpc(error: EdgeError) -> dict[str, Any]:
    """Envoy makes `grpc-message` out of the body, and would make `grpc-status` out of the HTTP status.

    A client that reads the details refuses them when their code is not the call's, so both are said here.
    """
    # To gRPC, a method that nobody serves is unimplemented.
    code = code_pb2.UNIMPLEMENTED if error.code == code_pb2.NOT_FOUND else error.code
    trailers = {"grpc-status": str(code), "grpc-status-details-bin": _details(error, code)}
    return {
        "filter": _all(*_IS_GRPC, _cel(error.when)),
        "status_code": error.status,
        "body_format_override": {"text_format_source": {"inline_string": error.message}},
        "headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in trailers.items()
        ],
    }


def _details(error: EdgeError, code: "code_pb2.Code.ValueType") -> str:
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN))
    status = status_pb2.Status(code=code, message=error.message.replace(_SAID, "").strip(), details=[info])
    return base64.b64encode(status.SerializeToString()).decode()


# The transcoder makes a REST call look like gRPC, and leaves the path it came with.
_IS_GRPC = (
    {"header_filter": {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}},
    {"header_filter": {"header": {"name": "x-envoy-original-path", "present_match": True, "invert_match": True}}},
)
_WITHOUT_ID = {"header_filter": {"header": {"name": "x-request-id", "present_match": True, "invert_match": True}}}


def _cel(expression: str) -> dict[str, Any]:
    name = "envoy.access_loggers.extension_filters.cel"
    return {"extension_filter": {"name": name, "typed_config": {"@type": _CEL, "expression": expression}}}


def _all(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"and_filter": {"filters": list(filters)}}


def reasons() -> Sequence[str]:
    """Every reason that the edge gives by itself."""
    return [error.reason for error in ERRORS]
