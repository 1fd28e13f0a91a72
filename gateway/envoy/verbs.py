"""HTTP's methods as RFC 9110 has them: HEAD where there is GET, OPTIONS everywhere, 405 with `Allow`, 501 for unknown ones."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2

from gateway import contract
from gateway.envoy import refusals

UNKNOWN = "method-unknown"
PREFLIGHT = "preflight"
OPTIONS = "options"
WRONG = "method-wrong"
# Whatever else a request's method is, the edge implements it nowhere.
KNOWN = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_METHOD = ":method"


def allowed(methods: Iterable[contract.Method], pages: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The methods that each path template takes, the most specific template first: it alone says what its paths take.

    A stream has no HEAD: its answer has no end to describe.
    """
    found: dict[str, set[str]] = {page: {"GET", "HEAD", "OPTIONS"} for page in pages}
    for method in methods:
        for rule in method.http:
            head = {"HEAD"} if rule.verb == "GET" and not method.server_streaming else set()
            found.setdefault(rule.path, {"OPTIONS"}).update({rule.verb}, head)
    verbs = {path: tuple(sorted(taken)) for path, taken in found.items()}
    # Neighbours of one shape that take the same are one route each.
    return {path: verbs[path] for path in sorted(verbs, key=lambda path: (_shape(path), verbs[path], path))}


def with_head(descriptors: bytes) -> bytes:
    """The descriptors for the transcoder, in which every GET of one answer serves HEAD too."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    for method in (method for file in files.file for service in file.service for method in service.method):
        if method.server_streaming or not method.options.HasExtension(annotations_pb2.http):
            continue
        rule = method.options.Extensions[annotations_pb2.http]
        for path in [each.get for each in (rule, *rule.additional_bindings) if each.get]:
            rule.additional_bindings.add().custom.CopyFrom(http_pb2.CustomHttpPattern(kind="HEAD", path=path))
    return files.SerializeToString()


def unknown() -> Iterator[dict[str, Any]]:
    """501 for a method that nobody here has heard of, and for CONNECT, whose path is none."""
    yield _answer(UNKNOWN, 501, {"connect_matcher": {}})
    known = {"name": _METHOD, "invert_match": True, "string_match": {"safe_regex": {"regex": "|".join(KNOWN)}}}
    yield _answer(UNKNOWN, 501, {"prefix": "/", "headers": [known]})


def answers(taken: Mapping[str, tuple[str, ...]], preflight: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Preflights go where CORS answers them; other OPTIONS are told `Allow`, and so is who chose a wrong method."""
    asks = [_is("OPTIONS"), *({"name": name, "present_match": True} for name in ("origin", _ASKED_METHOD))]
    yield {"match": {"prefix": "/", "headers": asks}, "name": PREFLIGHT, "route": preflight}
    for (_, verbs), templates in itertools.groupby(taken, key=lambda template: (_shape(template), taken[template])):
        allow = {"response_headers_to_add": [{"header": {"key": "allow", "value": ", ".join(verbs)}}]}
        group = list(templates)
        path = {"safe_regex": {"regex": "|".join(map(refusals.path_pattern, group))}}
        others = [{"name": _METHOD, "invert_match": True, "string_match": {"safe_regex": {"regex": "|".join(verbs)}}}]
        if narrower := [one for one in taken if any(_is_narrower(one, template) for template in group)]:
            # Their methods were judged before, by what they take.
            regex = f"(?:{'|'.join(map(refusals.path_pattern, narrower))})(?:\\?.*)?"
            others.append({"name": ":path", "invert_match": True, "string_match": {"safe_regex": {"regex": regex}}})
        yield _answer(OPTIONS, 204, path | {"headers": [_is("OPTIONS")]}) | allow
        yield _answer(WRONG, 405, path | {"headers": others}) | allow


_ASKED_METHOD = "access-control-request-method"


def _answer(name: str, status: int, match: dict[str, Any]) -> dict[str, Any]:
    return {
        "match": match,
        "name": name,
        "direct_response": {"status": status},
        "typed_per_filter_config": refusals.UNTRANSCODED,
    }


def _shape(template: str) -> list[bool]:
    """Which segments are variables. Of two shapes of one length the more specific is the smaller."""
    return [segment.startswith("{") for segment in template.split("/")]


def _is_narrower(template: str, other: str) -> bool:
    """Whether all paths of a template are paths of another one, too: `/orders/mine` of `/orders/{id}`."""
    pairs = list(itertools.zip_longest(template.split("/"), other.split("/")))
    return template != other and all(
        one == another or (one and (another or "").startswith("{")) for one, another in pairs
    )


def _is(verb: str) -> dict[str, Any]:
    return {"name": _METHOD, "string_match": {"exact": verb}}
