"""The reasons that a method may answer: those that its comment in the contract names, and those that any method may.

The comments are read from the descriptor set that is built with the stubs. A server compares each error that it answers with
them: a reason that the contract does not name is sent all the same, for it says more than none, but it raises an alarm.
"""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from google.protobuf import descriptor_pb2

DESCRIPTORS = "souk.binpb"
# What any method may answer: raised by the chassis, hence in no method's comment. Each with its HTTP status and meaning.
EVERYWHERE = (
    (
        "REQUEST_INVALID",
        400,
        "Fields break rules of the contract; `BadRequest` lists the first 20, `violations` says how many there are.",
    ),
    ("REQUEST_MALFORMED", 400, "The request is not a valid message of the method, or contains text that is not UTF-8."),
    (
        "REQUEST_TOO_LARGE",
        400,
        "The request has more bytes than any valid request of this method: more than `most_bytes`.",
    ),
    ("IDEMPOTENCY_KEY_MISMATCH", 400, "The header `Idempotency-Key` and the field `request_id` differ."),
    ("TOKEN_MISSING", 401, "The method requires an access token."),
    ("TOKEN_INVALID", 401, "The access token is invalid: it was not issued by this shop, or for something else."),
    ("TOKEN_EXPIRED", 401, "The access token has expired: refresh it, or sign in again."),
    ("TOKEN_REVOKED", 401, "The access token was revoked: refresh it, or sign in again."),
    (
        "SERVICE_UNKNOWN",
        401,
        "The mesh token, or the client certificate, does not identify a service of this installation.",
    ),
    ("ACCESS_DENIED", 403, "The roles of the caller do not permit the method."),
    ("PAGE_TOKEN_INVALID", 400, "The page token was not issued for this list, these filters and this caller."),
    ("OVERLOADED", 429, "Too many calls are waiting; nothing was done. `RetryInfo` says when to retry."),
    ("DEPENDENCY_UNAVAILABLE", 503, "A dependency of the service is unavailable; `RetryInfo` says when to retry."),
    ("SERVER_DRAINING", 503, "The server is shutting down and ended the stream; the metadata says where to resume it."),
    (
        "DEADLINE_EXCEEDED",
        504,
        "The deadline of the caller or of the contract expired; a change may have been made or not.",
    ),
    ("INTERNAL", 500, "An internal error; the request id and the trace id identify it in the log."),
)
# In descriptor.proto: the numbers of a file's services and of a service's methods, which make the address of a comment.
_SERVICES, _METHODS = 6, 2
_NAMED = re.compile(r"^\s*Errors:\s*([A-Z0-9_,\s]+)\.$", re.MULTILINE)


def of_service(full_name: str) -> Mapping[str, frozenset[str]]:
    """The reasons of each method of a service, by the method's path. Raises OSError when the stubs were built without them."""
    return {
        path: named for path, named in read(_built().read_bytes()).items() if path.rpartition("/")[0] == f"/{full_name}"
    }


def read(descriptor_set: bytes) -> Mapping[str, frozenset[str]]:
    """The reasons of every method in a descriptor set with comments, by the method's path."""
    everywhere = frozenset(reason for reason, _, _ in EVERYWHERE)
    found: dict[str, frozenset[str]] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
        comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
        for i, service in enumerate(file.service):
            for j, method in enumerate(service.method):
                named = _NAMED.search(comments.get((_SERVICES, i, _METHODS, j), ""))
                own = re.findall(r"[A-Z0-9_]+", named[1]) if named else []
                found[f"/{file.package}.{service.name}/{method.name}"] = everywhere | frozenset(own)
    return found


def _built() -> Path:
    """The descriptor set beside the package of the stubs."""
    return Path(next(iter(import_module("souk").__path__))).parent / DESCRIPTORS
