"""Request headers: which the edge lets in, and which go on to a service.

Whoever sends a header that stands in neither list loses it at the door: cookies, identities that only the mesh may claim,
what steers Envoy (`x-envoy-*`), names that gRPC refuses. So what reaches a service is bounded by the one limit on headers,
and no header is forwarded that nobody thought of.
"""

import re
from collections.abc import Collection
from typing import Any

# All headers of a request together, names included. Services accept more (`services/chassis/rpc/server.py`), so what passes
# here is never refused behind it.
MOST_KIB = 16
MOST_HEADERS = 60

# What a service reads, or gRPC for it. What single methods read besides stands in the contract.
FORWARDED = ("authorization", "content-type", "grpc-timeout", "idempotency-key", "te", "traceparent", "user-agent")
# What the edge reads, and Envoy for it.
_OF_THE_EDGE = (
    "accept",
    "accept-encoding",
    "access-control-request-method",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "grpc-accept-encoding",
    "grpc-encoding",
    "host",
    "if-none-match",
    "keep-alive",
    "origin",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-grpc-web",
)
# A service has no use for these. `origin` stays, because the answer is made with it.
NOT_FORWARDED = (
    "accept",
    "accept-encoding",
    "access-control-request-method",
    "if-none-match",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-grpc-web",
)
# For services that share fairly between callers. Nobody can claim another: no such header comes in.
CLIENT_ADDRESS = {
    "header": {"key": "x-souk-client-address", "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"},
    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
}
# A caller's trace, as W3C's Trace Context has it.
TRACEPARENT = "00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"


def at_the_door(read_by_methods: Collection[str]) -> dict[str, Any]:
    """The mutation of a request, before anything looks at it, that removes all headers but the known ones."""
    return removal(all_but([*FORWARDED, *read_by_methods, *_OF_THE_EDGE]))


def removal(names: str) -> dict[str, Any]:
    """Takes off the headers whose whole name matches."""
    return {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": names}}}}


def all_but(names: Collection[str]) -> str:
    """A regular expression for every header's name that is not one of these, and no pseudo-header's.

    RE2 has no negative lookahead, so it says how a name can differ: by a first letter that none of them has, or by what
    follows the first letter.
    """
    return _other_than(frozenset(names))


def _other_than(rests: frozenset[str]) -> str:
    letters = sorted({rest[0] for rest in rests if rest})
    other = f"[^:{re.escape(''.join(letters))}].*"
    ways = [other, *(f"{re.escape(letter)}{_other_than(_after(letter, rests))}" for letter in letters)]
    return f"({'|'.join(ways)}){'' if '' in rests else '?'}"


def _after(letter: str, rests: frozenset[str]) -> frozenset[str]:
    return frozenset(rest[1:] for rest in rests if rest.startswith(letter))
