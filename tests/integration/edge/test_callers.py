"""Who may call and how often: access tokens and buckets."""

import time
from collections.abc import Callable
from itertools import count

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.edge.conftest import Edge
from tests.integration.edge.upstream import KEY_ID, KNOWN, reason

ORDER = f"/api/v1/orders/{KNOWN}"


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == 16
    return reason(answer.json())


def test_no_token_is_token_missing(stranger: httpx.Client) -> None:
    assert refused(stranger.get(ORDER)) == "TOKEN_MISSING"


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer a.b.c"])
def test_nonsense_is_token_invalid(stranger: httpx.Client, header: str) -> None:
    assert refused(stranger.get(ORDER, headers={"authorization": header})) == "TOKEN_INVALID"


def test_a_token_in_the_query_counts_as_none(edge: Edge, stranger: httpx.Client) -> None:
    token = edge.upstream.token("somebody")

    answer = stranger.post("/souk.order.v1.OrderService/GetOrder", params={"access_token": token})

    assert answer.status_code != 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": time.time() - 3600},
        {"aud": "another"},
        {"iss": "https://elsewhere.example"},
        {"nbf": time.time() + 3600},
    ],
    ids=["expired", "audience", "issuer", "not yet"],
)
def test_a_token_with_wrong_claims_is_invalid(edge: Edge, stranger: httpx.Client, claims: dict[str, object]) -> None:
    token = edge.upstream.token("somebody", **claims)

    assert refused(stranger.get(ORDER, headers={"authorization": f"Bearer {token}"})) == "TOKEN_INVALID"


def test_a_token_of_another_key_is_invalid(stranger: httpx.Client) -> None:
    payload = {"iss": "https://souk.local", "aud": "souk", "sub": "x", "exp": time.time() + 600}
    forged = jwt.encode(payload, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": KEY_ID})

    assert refused(stranger.get(ORDER, headers={"authorization": f"Bearer {forged}"})) == "TOKEN_INVALID"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the forger chose it
def test_an_unsigned_or_symmetric_token_is_invalid(stranger: httpx.Client) -> None:
    payload = {"iss": "https://souk.local", "aud": "souk", "sub": "x", "exp": time.time() + 600}
    unsigned = jwt.encode(payload, "", "none")
    symmetric = jwt.encode(payload, "public key", "HS256", headers={"kid": KEY_ID})

    for forged in (unsigned, symmetric):
        assert refused(stranger.get(ORDER, headers={"authorization": f"Bearer {forged}"})) == "TOKEN_INVALID"


def test_a_public_method_needs_no_token(stranger: httpx.Client) -> None:
    answer = stranger.post("/api/v1/users/login", json={"email": "somebody", "password": "secret"})

    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"


def test_a_public_method_passes_a_valid_token_on(edge: Edge, caller: httpx.Client) -> None:
    caller.post("/api/v1/users/login", json={"email": "somebody"})

    assert edge.upstream.metadata["Login"]["authorization"] == caller.headers["authorization"]


def test_a_public_read_refuses_an_invalid_token(stranger: httpx.Client) -> None:
    answer = stranger.get(f"/api/v1/products/{KNOWN}", headers={"authorization": "Bearer nonsense"})

    assert refused(answer) == "TOKEN_INVALID"


def test_who_signs_in_may_send_the_token_that_has_ended_along(edge: Edge, stranger: httpx.Client) -> None:
    ended = edge.upstream.token("somebody", exp=time.time() - 3600)

    answer = stranger.post("/api/v1/users/login", json={}, headers={"authorization": f"Bearer {ended}"})

    assert answer.status_code == 200, answer.text


def test_the_schemes_name_may_begin_with_a_small_letter(edge: Edge, stranger: httpx.Client) -> None:
    token = edge.upstream.token("somebody")

    assert stranger.get(ORDER, headers={"authorization": f"bearer {token}"}).status_code == 200
    assert refused(stranger.get(ORDER, headers={"authorization": "bearer nonsense"})) == "TOKEN_INVALID"


def test_a_method_for_services_is_not_reachable(caller: httpx.Client) -> None:
    answer = caller.post("/souk.inventory.v1.InventoryService/SetStock", json={})

    assert answer.status_code == 404
    assert reason(answer.json()) == "ROUTE_NOT_FOUND"


def until_dry(post: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Call until the bucket is dry. It fills meanwhile, by a call a second."""
    answers = [post()]
    while answers[-1].status_code != 429:
        assert len(answers) < 300
        answers.append(post())
    return answers


def test_a_bucket_runs_dry_and_says_when_to_come_back(caller: httpx.Client) -> None:
    *allowed, dry = until_dry(lambda: caller.post("/api/v1/orders", json={}))

    assert len(allowed) >= 60
    assert {answer.status_code for answer in allowed} == {200}
    assert reason(dry.json()) == "RATE_LIMITED"
    assert dry.json()["code"] == 8
    assert dry.headers["retry-after"] == "1"
    assert dry.headers["x-ratelimit-limit"] == "60"
    assert dry.headers["x-ratelimit-remaining"] == "0"


def test_every_user_has_a_bucket_of_its_own(edge: Edge, caller: httpx.Client) -> None:
    until_dry(lambda: caller.post("/api/v1/orders", json={}))

    answer = caller.post("/api/v1/orders", json={}, headers=edge.bearer("somebody modest"))

    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-remaining"] == "59"


def test_every_method_has_a_bucket_of_its_own(caller: httpx.Client) -> None:
    until_dry(lambda: caller.post("/api/v1/orders", json={}))

    assert caller.get(ORDER).status_code == 200


def test_a_bucket_fills_steadily(caller: httpx.Client) -> None:
    until_dry(lambda: caller.post("/api/v1/orders", json={}))
    deadline = time.monotonic() + 5

    while caller.post("/api/v1/orders", json={}).status_code == 429:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def calling_from(edge: Edge, address: str) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=edge.url, transport=transport, trust_env=False)


def test_an_address_has_a_bucket_of_its_own(edge: Edge) -> None:
    with calling_from(edge, "127.0.0.2") as here, calling_from(edge, "127.0.0.3") as elsewhere:
        until_dry(lambda: here.post("/api/v1/users/login", json={}))

        assert elsewhere.post("/api/v1/users/login", json={}).status_code == 200


def test_an_address_cannot_be_forged(edge: Edge) -> None:
    numbers = count()
    with calling_from(edge, "127.0.0.4") as forger:
        answers = until_dry(
            lambda: forger.post(
                "/api/v1/users/login", json={}, headers={"x-forwarded-for": f"10.0.0.{next(numbers) % 250}"}
            )
        )

    assert answers[-1].status_code == 429
