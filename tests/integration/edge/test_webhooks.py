"""A webhook's body reaches the service byte for byte, with its signature, whatever is in it: the signature is over the bytes."""

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.edge.conftest import MAX_REQUEST_BYTES, SERVICES, Edge, running_edge
from tests.integration.edge.upstream import Upstream, reason

HOOK = "/api/v1/payments/webhooks/stripe"
BODIES = {
    "json as it was written": b'{ "b":1.0,\n"a":1e2, "a":2, "x":"\\u00e9" }\n',
    "no json": b"{",
    "bytes": bytes(range(256)),
    "nothing": b"",
    "what looks like a card's number": b'{"id":"4242424242424242"}',
    "a large one": b"x" * (MAX_REQUEST_BYTES - 1000),
}


@pytest.fixture(scope="module")
def edge(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge before services that are all up."""
    addresses = dict.fromkeys(SERVICES, f"127.0.0.1:{upstream.port}")
    with running_edge(tmp_path_factory.mktemp("edge"), upstream, addresses) as running:
        running.await_status("/.well-known/jwks.json", 200)
        yield running


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_body_and_its_signature_arrive_as_they_were_sent(edge: Edge, stranger: httpx.Client, body: bytes) -> None:
    headers = {"stripe-signature": "t=1,v1=ab", "content-type": "application/json", "x-other": "1"}

    answer = stranger.post(HOOK, content=body, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {})
    assert edge.upstream.event is not None
    assert (edge.upstream.event.provider, edge.upstream.event.event.data) == ("stripe", body)
    metadata = edge.upstream.metadata["ReceiveWebhook"]
    assert metadata["stripe-signature"] == "t=1,v1=ab"
    assert "x-other" not in metadata


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_news_of_a_mail_arrive_as_they_were_sent(edge: Edge, stranger: httpx.Client, body: bytes) -> None:
    headers = {"webhook-signature": "t=1,v1=ab", "content-type": "application/json", "x-other": "1"}

    answer = stranger.post("/api/v1/notifications/bounces", content=body, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {})
    assert edge.upstream.bounce is not None
    assert edge.upstream.bounce.event.data == body
    metadata = edge.upstream.metadata["ReceiveBounce"]
    assert metadata["webhook-signature"] == "t=1,v1=ab"
    assert "x-other" not in metadata


def test_a_body_that_does_not_say_its_length_arrives_too(edge: Edge, stranger: httpx.Client) -> None:
    answer = stranger.post(HOOK, content=iter([b"{", b"}"]))

    assert answer.status_code == 200
    assert edge.upstream.event is not None
    assert edge.upstream.event.event.data == b"{}"


def test_a_body_that_is_too_large_is_413(stranger: httpx.Client) -> None:
    answer = stranger.post(HOOK, content=b"x" * (MAX_REQUEST_BYTES + 1))

    assert (answer.status_code, reason(answer.json())) == (413, "REQUEST_TOO_LARGE")


def test_a_signature_that_is_no_text_is_refused(stranger: httpx.Client) -> None:
    answer = stranger.post(HOOK, content=b"{}", headers={b"stripe-signature": b"t=1,v1=\xff"})

    assert answer.status_code == 400
