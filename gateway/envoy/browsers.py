"""What scripts in browsers of other origins may call, send and read (CORS)."""

from typing import Any

_TYPE = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"
_SENT = "authorization,content-type,idempotency-key,if-none-match,traceparent,x-grpc-web,x-user-agent,grpc-timeout"
_READ = (
    "allow,etag,grpc-status,grpc-message,grpc-status-details-bin,x-request-id,retry-after,x-ratelimit-limit,"
    "x-ratelimit-remaining,x-ratelimit-reset"
)


def policy(origins: tuple[str, ...]) -> dict[str, Any]:
    """The rules for preflights of these origins."""
    return {
        "@type": _TYPE,
        "allow_origin_string_match": [{"exact": origin} for origin in origins],
        "allow_methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "allow_headers": _SENT,
        "expose_headers": _READ,
        "max_age": "600",
        # A preflight from elsewhere ends here too, without the headers that would allow anything.
        "forward_not_matching_preflights": False,
    }


def readable(origin: str) -> list[dict[str, Any]]:
    """The headers that let scripts of an origin read an answer, as mutations of its headers."""
    return [{"append": _header(key, value)} for key, value in _headers(origin)]


def readable_early() -> list[dict[str, Any]]:
    """The same for answers to requests that could not be read as far as their origin: anybody's scripts may read those.

    They say nothing but that this request was not understood, and browsers send no credentials along to take them from.
    """
    return [_header(key, value) for key, value in _headers("*")]


def _headers(origin: str) -> list[tuple[str, str]]:
    return [("access-control-allow-origin", origin), ("access-control-expose-headers", _READ)]


def _header(key: str, value: str) -> dict[str, Any]:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
