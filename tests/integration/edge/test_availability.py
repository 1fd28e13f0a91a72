"""Services that come, go and fail: health, keys, retries."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.integration.edge.conftest import SERVICES, Edge, running_edge
from tests.integration.edge.upstream import KNOWN, Upstream, reason
from tests.support import ports


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Edge, Upstream, int]]:
    """An edge that was started before its services, which are not up yet."""
    port = ports.free()
    upstream = Upstream()
    with running_edge(tmp_path, upstream, dict.fromkeys(SERVICES, f"127.0.0.1:{port}")) as edge:
        yield edge, upstream, port


def get_order(edge: Edge, subject: str = "somebody") -> httpx.Response:
    return httpx.get(f"{edge.url}/api/v1/orders/{KNOWN}", headers=edge.bearer(subject), timeout=10, trust_env=False)


def test_an_edge_without_services_lives_but_is_not_ready(pair: tuple[Edge, Upstream, int]) -> None:
    edge, _, _ = pair

    answer = httpx.get(f"{edge.url}/healthz", trust_env=False)

    assert answer.status_code == 503
    assert reason(answer.json()) == "EDGE_NOT_READY"
    assert httpx.get(f"{edge.url}/livez", trust_env=False).json() == {"status": "SERVING"}


def test_without_keys_a_token_is_neither_accepted_nor_called_invalid(pair: tuple[Edge, Upstream, int]) -> None:
    edge, _, _ = pair

    answer = get_order(edge)

    assert answer.status_code == 503
    assert reason(answer.json()) == "TOKEN_KEYS_UNAVAILABLE"


def test_the_first_calls_after_the_edge_is_ready_succeed(pair: tuple[Edge, Upstream, int]) -> None:
    edge, upstream, port = pair
    upstream.start(port)

    edge.await_status("/healthz", 200)
    # Few at once: the service of these tests lives in this process, and shares its interpreter with the callers.
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda number: get_order(edge, f"user {number}"), range(20)))

    assert [answer.status_code for answer in answers] == [200] * 20
    upstream.stop()


def test_a_restarted_service_is_back_at_once(pair: tuple[Edge, Upstream, int]) -> None:
    edge, upstream, port = pair
    upstream.start(port)
    edge.await_status("/healthz", 200)
    upstream.stop()
    edge.await_status("/healthz", 503)
    assert reason(get_order(edge).json()) == "UPSTREAM_UNAVAILABLE"

    upstream.start(port)
    started = time.monotonic()
    edge.await_status("/healthz", 200)

    assert time.monotonic() - started < 3  # on an idle machine within a second
    assert get_order(edge).status_code == 200
    upstream.stop()


def test_a_safe_call_is_retried(edge: Edge, caller: httpx.Client) -> None:
    edge.upstream.calls.clear()
    edge.upstream.failures["GetOrder"] = 2

    assert caller.get(f"/api/v1/orders/{KNOWN}").status_code == 200
    assert edge.upstream.calls["GetOrder"] == 3


def test_a_call_that_the_service_saw_is_not_repeated(edge: Edge, caller: httpx.Client) -> None:
    edge.upstream.calls.clear()
    edge.upstream.failures.update({"CreateOrder": 1, "Login": 1})

    created = caller.post("/api/v1/orders", json={}, headers={"idempotency-key": "one"})
    logged_in = caller.post("/api/v1/users/login", json={})

    assert (created.status_code, logged_in.status_code) == (503, 503)
    assert edge.upstream.calls == {"CreateOrder": 1, "Login": 1}
    edge.upstream.failures.clear()


def test_retries_end(edge: Edge, caller: httpx.Client) -> None:
    edge.upstream.calls.clear()
    edge.upstream.failures["GetOrder"] = 100

    answer = caller.get(f"/api/v1/orders/{KNOWN}")

    assert answer.status_code == 503
    assert edge.upstream.calls["GetOrder"] == 3
    edge.upstream.failures.clear()
