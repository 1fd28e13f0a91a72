"""What the edge answers for every route of the contract, before any service: which resource is meant, and HTTP's methods."""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack

import httpx
import pytest

from gateway.contract import HttpRule, Method
from services.chassis import clock, ids
from tests.contract.test_access import EXPOSED
from tests.support import shop

NAMED = "0190a000-0000-7000-8000-000000000000"
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RULES = [(method, rule) for method in EXPOSED for rule in method.http]


@pytest.fixture(scope="module")
def admin(environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Who may call everything."""
    token = shop.Shop(environment, AsyncExitStack()).token(ids.new_id(clock.utc_now()), "ADMIN", "VENDOR", "CUSTOMER")
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=environment["EDGE_URL"], headers=headers, timeout=10, trust_env=False) as client:
        yield client


def by_route(rules: list[tuple[Method, HttpRule]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("method", "rule"), rules, ids=[f"{rule.verb} {rule.path}" for _, rule in rules])


def path_of(rule: HttpRule) -> str:
    """A path of a route, which names nothing that exists."""
    path = rule.path
    for name in rule.path_fields:
        path = path.replace(f"{{{name}}}", NAMED)
    return path


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The status and the reason of an error."""
    [info] = [detail for detail in answer.json()["details"] if detail["@type"] == INFO]
    return answer.status_code, info["reason"]


@by_route([(method, rule) for method, rule in RULES if rule.path_fields])
def test_the_path_alone_says_which_resource_is_meant(admin: httpx.Client, method: Method, rule: HttpRule) -> None:
    for name in rule.path_fields:
        for query in (f"{name}=other", f"page_size=1&{name}=other", f"{name}="):
            answer = admin.request(rule.verb, f"{path_of(rule)}?{query}")

            assert refusal(answer) == (400, "PATH_FIELD_IN_QUERY"), method.full_name
            assert answer.json()["details"][1]["field_violations"][0]["field"] == name
        escaped = admin.request(rule.verb, f"{path_of(rule)}?%{ord(name[0]):x}{name[1:]}=other")
        assert refusal(escaped) == (400, "QUERY_NAME_ESCAPED")
        # A raw body has no fields.
        if rule.body == "*":
            answer = admin.request(rule.verb, path_of(rule), json={name: "other"})

            assert refusal(answer) == (400, "REQUEST_MALFORMED")
            assert f"field {name}" in answer.json()["message"]


# Where the body is one field, a file, the other fields are in the query.
@by_route([(method, rule) for method, rule in RULES if rule.body == "*"])
def test_a_method_with_a_body_takes_no_query(admin: httpx.Client, method: Method, rule: HttpRule) -> None:
    answer = admin.request(rule.verb, f"{path_of(rule)}?password=secret", json={})

    assert refusal(answer) == (400, "QUERY_NOT_TAKEN"), method.full_name


@by_route([(method, rule) for method, rule in RULES if rule.verb == "GET"])
def test_what_has_get_has_head_unless_it_is_a_stream(admin: httpx.Client, method: Method, rule: HttpRule) -> None:
    head = admin.head(path_of(rule))

    assert head.content == b""
    expected = 405 if method.server_streaming else admin.get(path_of(rule)).status_code
    assert head.status_code == expected


@by_route(RULES)
def test_a_path_lists_its_methods(admin: httpx.Client, method: Method, rule: HttpRule) -> None:
    answer = admin.options(path_of(rule))

    assert answer.status_code == 204
    allowed = answer.headers["allow"].split(", ")
    assert {rule.verb, "OPTIONS"} <= set(allowed), method.full_name
    for verb in {"DELETE", "GET", "PATCH", "POST", "PUT"} - set(allowed):
        wrong = admin.request(verb, path_of(rule), json={})
        assert refusal(wrong) == (405, "METHOD_NOT_ALLOWED")
        assert wrong.headers["allow"] == answer.headers["allow"]
