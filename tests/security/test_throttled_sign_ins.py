"""Guessing passwords through the edge, which says where a call comes from."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import httpx
import psycopg

from services.chassis import clock
from services.user.domain import throttling
from services.user.domain.throttling import Whose

PASSWORD, GUESS = "correct horse battery", "a guess"
FILL = "INSERT INTO sign_in_failures (key, failures, next_try_time, expire_time) VALUES (%s, %s, now(), %s)"
FORGET = "DELETE FROM sign_in_failures WHERE key = %s"


@contextmanager
def calling_from(environment: Mapping[str, str], address: str) -> Iterator[httpx.Client]:
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=environment["EDGE_URL"], transport=transport, trust_env=False, timeout=10) as client:
        yield client


def answer(client: httpx.Client, email: str, sent: str = GUESS) -> str:
    answered = client.post("/api/v1/users/login", json={"email": email, "password": sent})
    if answered.status_code == 200:
        return "signed in"
    reason = str(answered.json()["details"][0]["reason"])
    if reason == "SIGN_IN_THROTTLED":
        assert answered.status_code == 429
        assert any("RetryInfo" in detail["@type"] for detail in answered.json()["details"])
    return reason


def registered(environment: Mapping[str, str], address: str) -> str:
    email = f"ann.{uuid.uuid4().hex}@example.com"
    account = {"email": email, "password": PASSWORD, "display_name": "Ann"}
    with calling_from(environment, address) as home:
        assert home.post("/api/v1/users/register", json=account).status_code == 200
    return email


def test_changing_the_address_does_not_help_who_guesses_one_account(environment: Mapping[str, str]) -> None:
    email = registered(environment, "127.0.1.1")
    answers: Counter[str] = Counter()
    for n in range(15):
        with calling_from(environment, f"127.0.2.{n + 1}") as guesser:
            answers[answer(guesser, email)] += 1
    assert answers == {"CREDENTIALS_WRONG": 10, "SIGN_IN_THROTTLED": 5}


def test_the_owner_signs_in_from_where_they_did_before_whatever_strangers_do(environment: Mapping[str, str]) -> None:
    email = registered(environment, "127.0.1.2")
    with calling_from(environment, "127.0.2.99") as guesser, calling_from(environment, "127.0.1.2") as home:
        while answer(guesser, email) != "SIGN_IN_THROTTLED":
            pass
        assert answer(guesser, email, PASSWORD) == "SIGN_IN_THROTTLED"
        assert answer(home, email, PASSWORD) == "signed in"


def test_an_address_that_failed_at_a_hundred_accounts_waits(environment: Mapping[str, str]) -> None:
    keys = throttling.keys("", "127.0.2.100", known=False)
    [key] = [key for key, whose in keys.items() if whose is Whose.NETWORK]
    free = throttling.FREE_TRIES[Whose.NETWORK]
    with psycopg.connect(environment["USER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(FORGET, [key])
        # As many but one as may fail: a hundred calls would wait for the edge's rate.
        connection.execute(FILL, [key, free - 1, clock.utc_now() + timedelta(hours=1)])
    email = registered(environment, "127.0.1.3")
    with calling_from(environment, "127.0.2.100") as guesser:
        assert answer(guesser, f"{uuid.uuid4().hex}@example.com") == "CREDENTIALS_WRONG"
        assert answer(guesser, f"{uuid.uuid4().hex}@example.com") == "SIGN_IN_THROTTLED"
        assert answer(guesser, email, PASSWORD) == "SIGN_IN_THROTTLED"
    with calling_from(environment, "127.0.2.101") as elsewhere:
        assert answer(elsewhere, email, PASSWORD) == "signed in"
