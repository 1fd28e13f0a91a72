"""Which methods a path takes is said by the most specific template that has it, and by no other."""

import re

import pytest

from gateway.envoy import verbs

TAKEN = {
    "/api/v1/sales/quote": ("OPTIONS", "POST"),
    "/api/v1/sales": ("GET", "HEAD", "OPTIONS"),
    "/api/v1/sales/{id}": ("GET", "HEAD", "OPTIONS", "PUT"),
}


def _allow(path: str, verb: str) -> str | None:
    """What Envoy would tell of a wrong method there; None when the request goes on."""
    for answer in verbs.answers(TAKEN, {}):
        match = answer["match"]
        if answer["name"] != verbs.WRONG or not re.fullmatch(match["safe_regex"]["regex"], path.partition("?")[0]):
            continue
        if all(_meets(header, {":method": verb, ":path": path}) for header in match["headers"]):
            return str(answer["response_headers_to_add"][0]["header"]["value"])
    return None


def _meets(header: dict[str, object], request: dict[str, str]) -> bool:
    regex = header["string_match"]["safe_regex"]["regex"]  # type: ignore[index]  # a matcher of Envoy
    return not re.fullmatch(regex, request[str(header["name"])])


@pytest.mark.parametrize(
    ("path", "verb", "allow"),
    [
        ("/api/v1/sales/quote", "POST", None),
        ("/api/v1/sales/quote?a=b", "POST", None),
        ("/api/v1/sales/quote", "PUT", "OPTIONS, POST"),
        ("/api/v1/sales/quote", "GET", "OPTIONS, POST"),
        ("/api/v1/sales/1", "PUT", None),
        ("/api/v1/sales/1", "POST", "GET, HEAD, OPTIONS, PUT"),
        ("/api/v1/sales/quotes", "POST", "GET, HEAD, OPTIONS, PUT"),
        ("/api/v1/sales", "POST", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_path_with_a_name_of_its_own_is_judged_by_its_own_template(path: str, verb: str, allow: str | None) -> None:
    assert _allow(path, verb) == allow
