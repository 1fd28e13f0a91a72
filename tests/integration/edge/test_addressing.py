"""What a REST call is about: the path says which resource, the body or the query says the rest, and no log repeats a secret."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.integration.edge.conftest import Edge
from tests.integration.edge.upstream import KNOWN, UNKNOWN, reason

ORDER = f"/api/v1/orders/{KNOWN}"
SECRET = "correct-horse-battery"


def refused(answer: httpx.Response) -> str:
    """The reason for which a request is refused that no service saw."""
    assert answer.status_code == 400, answer.text
    return reason(answer.json())


def wrong_fields(answer: httpx.Response) -> list[str]:
    """The fields that an error names as wrong."""
    kind = "type.googleapis.com/google.rpc.BadRequest"
    bad = [detail for detail in answer.json()["details"] if detail["@type"] == kind]
    return [violation["field"] for detail in bad for violation in detail["field_violations"]]


@pytest.mark.parametrize("query", ["id=other", "id=", "id", "status=CONFIRMED&id=other", "id.x=1"])
def test_a_query_cannot_name_another_resource_than_the_path(edge: Edge, caller: httpx.Client, query: str) -> None:
    before = edge.upstream.calls["GetOrder"]

    answer = caller.get(f"{ORDER}?{query}")

    assert refused(answer) == "PATH_FIELD_IN_QUERY"
    assert wrong_fields(answer) == ["id"]
    assert "`id`" in answer.json()["message"]
    assert edge.upstream.calls["GetOrder"] == before


@pytest.mark.parametrize("query", ["%69d=other", "page%5Fsize=1&i%64=other", "%69%64"])
def test_a_query_cannot_hide_a_name_behind_escapes(caller: httpx.Client, query: str) -> None:
    assert refused(caller.get(f"{ORDER}?{query}")) == "QUERY_NAME_ESCAPED"


@pytest.mark.parametrize("named", [UNKNOWN, "x", ""])
def test_a_body_cannot_name_another_resource_than_the_path(edge: Edge, caller: httpx.Client, named: str) -> None:
    before = edge.upstream.calls["CancelOrder"]

    answer = caller.put(f"{ORDER}/cancel", json={"id": named})

    assert refused(answer) == "REQUEST_MALFORMED"
    assert "field id" in answer.json()["message"]
    assert edge.upstream.calls["CancelOrder"] == before


@pytest.mark.parametrize("body", [{"id": KNOWN}, {"id": None}, {}])
def test_a_body_may_agree_with_the_path(caller: httpx.Client, body: Mapping[str, Any]) -> None:
    assert caller.put(f"{ORDER}/cancel", json=body).json()["id"] == KNOWN


@pytest.mark.parametrize("query", [f"email=ada@example.com&password={SECRET}", "x", "="])
def test_a_method_with_a_body_takes_no_query(edge: Edge, stranger: httpx.Client, query: str) -> None:
    before = edge.upstream.calls["Login"]

    assert refused(stranger.post(f"/api/v1/users/login?{query}", json={})) == "QUERY_NOT_TAKEN"
    assert edge.upstream.calls["Login"] == before
    assert stranger.post("/api/v1/users/login?", json={"email": "somebody"}).status_code == 200


def test_a_plus_in_a_query_is_a_space_and_an_escaped_one_is_none(caller: httpx.Client) -> None:
    assert caller.get("/api/v1/orders?page_token=The+Book").json()["next_page_token"] == "The Book"
    assert caller.get("/api/v1/orders?page_token=The%20B%2Bk").json()["next_page_token"] == "The B+k"


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/api/v1/orders", 200),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/docs", 200),
        ("POST", "/api/v1/users/login", 400),
        ("DELETE", "/api/v1/orders", 405),
        ("GET", f"{ORDER}/watch", 400),
    ],
)
def test_the_access_log_holds_no_value_of_a_query(
    edge: Edge, caller: httpx.Client, verb: str, path: str, status: int
) -> None:
    answer = caller.request(verb, f"{path}?page_token={SECRET}")

    assert answer.status_code == status
    assert edge.logged(answer)["path"] == path
    assert SECRET not in json.dumps(edge.logged(answer))


def test_the_access_log_holds_no_value_of_a_query_of_grpc_web_either(edge: Edge, caller: httpx.Client) -> None:
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    frame = struct.pack(">BI", 0, 0)

    answer = caller.post(f"/souk.order.v1.OrderService/GetOrder?password={SECRET}", content=frame, headers=headers)

    assert SECRET not in json.dumps(edge.logged(answer))
    assert edge.logged(answer)["path"] == "/souk.order.v1.OrderService/GetOrder"


def test_the_access_log_quotes_nothing_of_a_body_that_cannot_be_read(edge: Edge, stranger: httpx.Client) -> None:
    answer = stranger.post("/api/v1/users/login", content=f'{{"password": {SECRET}')

    assert refused(answer) == "REQUEST_MALFORMED"
    assert SECRET not in json.dumps(edge.logged(answer))


@pytest.mark.parametrize(
    "body",
    [
        "{'items': []}",
        '{"items": [],}',
        '{"items": [{"sku": "TEA", "quantity": 1},]}',
        "{items: []}",
        '{"items": []} {}',
        '{"items": []} and more',
        "{/* none */}",
        '{"items": [{"sku": "TEA", "quantity": NaN}]}',
        '{"payment_method": "a\nb"}',
        b'{"payment_method": "\xff"}',
        "[" * 40_000,
        " ",
    ],
)
@pytest.mark.parametrize("sized", ["sized", "unsized"])
def test_what_is_no_json_is_refused(edge: Edge, caller: httpx.Client, body: str | bytes, sized: str) -> None:
    before = edge.upstream.calls["CreateOrder"]
    content = body.encode() if isinstance(body, str) else body

    answer = caller.post("/api/v1/orders", content=content if sized == "sized" else iter([content]))

    assert refused(answer) == "REQUEST_MALFORMED"
    assert "not valid JSON" in answer.json()["message"]
    assert edge.upstream.calls["CreateOrder"] == before


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_json_is_read_whatever_its_type_is_said_to_be(caller: httpx.Client, kind: str) -> None:
    body = ' {"items": [{"sku": "T\\u00e9", "quantity": 1e0}], "payment_method": null}\n'

    answer = caller.post("/api/v1/orders", content=body, headers={"content-type": kind})

    assert answer.json()["lines"][0]["sku"] == "Té"
