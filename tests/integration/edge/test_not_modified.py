"""Answers that a caller has already: 304 through the edge, for whatever has an `ETag`."""

import httpx
import pytest

from tests.integration.edge.conftest import Edge
from tests.integration.edge.upstream import KNOWN, LARGE, UNKNOWN, reason

PRODUCT = f"/api/v1/products/{KNOWN}"


def test_an_answer_carries_the_tag_and_the_cache_rules_of_its_service(stranger: httpx.Client) -> None:
    answer = stranger.get(PRODUCT)

    assert (answer.status_code, answer.json()["id"]) == (200, KNOWN)
    assert answer.headers["etag"] == 'W/"7"'
    assert answer.headers["cache-control"] == "public, max-age=0"


@pytest.mark.parametrize("path", [PRODUCT, f"/api/v1/products/{LARGE}"])
@pytest.mark.parametrize("known", ['W/"7"', '"7"', '"1", W/"7"', "*"])
def test_who_has_the_content_gets_304_without_it(edge: Edge, path: str, known: str) -> None:
    for http2 in (False, True):
        with httpx.Client(base_url=edge.url, trust_env=False, http1=not http2, http2=http2) as client:
            for _ in range(2):
                answer = client.get(path, headers={"if-none-match": known})

                assert (answer.status_code, answer.content) == (304, b"")
                assert answer.headers["etag"] == 'W/"7"'
                assert answer.headers["cache-control"] == "public, max-age=0"
                assert "content-type" not in answer.headers
                assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("known", ['W/"6"', '"77"', "7", "", "nonsense"])
def test_who_has_other_content_gets_the_new_one(stranger: httpx.Client, known: str) -> None:
    answer = stranger.get(PRODUCT, headers={"if-none-match": known})

    assert (answer.status_code, answer.json()["version"]) == (200, "7")


def test_what_has_no_tag_is_answered_whole(caller: httpx.Client) -> None:
    answer = caller.get(f"/api/v1/orders/{KNOWN}", headers={"if-none-match": "*"})

    assert (answer.status_code, answer.json()["id"]) == (200, KNOWN)


def test_an_error_stays_an_error(stranger: httpx.Client) -> None:
    answer = stranger.get(f"/api/v1/products/{UNKNOWN}", headers={"if-none-match": "*"})

    assert (answer.status_code, reason(answer.json())) == (404, "PRODUCT_NOT_FOUND")


def test_a_change_is_no_question_about_content(caller: httpx.Client) -> None:
    body = {"items": [{"sku": "TEA", "quantity": 1}]}

    assert caller.post("/api/v1/orders", json=body, headers={"if-none-match": "*"}).status_code == 200
