"""Whom a door listens to: one sender, by its name, its header and its secrets, and only if the body is one of its events."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis import credentials, errors, signatures, webhooks

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
BODY = b'{"id": "evt_1"}'
ID = "01936f3e-7a00-7000-8000-000000000001"


def signed(body: bytes, secret: str = "new") -> tuple[str, str]:  # noqa: S107 - it is a test's
    seconds = int(NOW.timestamp())
    return "its-signature", f"t={seconds},v1={signatures.code(secret, f'{seconds}.'.encode() + body)}"


async def heard(came: webhooks.Came, secrets: str = "new old") -> list[str]:
    """What is heard of a webhook at the door of somebody."""
    events: list[str] = []

    async def hear(event: str) -> None:
        events.append(event)

    def reads(event: Any) -> str:
        return str(event["id"])

    sender = webhooks.Sender("somebody", "its-signature", credentials.of(secrets) if secrets else credentials.NONE)
    await webhooks.Door(sender, reads, hear, now=lambda: NOW).receive(came)
    return events


async def refused(came: webhooks.Came, secrets: str = "new old") -> tuple[str, str]:
    with pytest.raises(errors.DomainError) as caught:
        await heard(came, secrets)
    return caught.value.code.name, caught.value.reason


@pytest.mark.parametrize("secret", ["new", "old"])
async def test_an_event_that_its_sender_signed_with_either_secret_is_heard(secret: str) -> None:
    came = webhooks.Came("somebody", [("content-type", "text/plain"), signed(BODY, secret)], BODY)
    assert await heard(came) == ["evt_1"]


@pytest.mark.parametrize(
    "headers", [None, [], [("its-signature", b"\xff")], [signed(b"{}")], [("other", signed(BODY)[1])]]
)
async def test_what_is_not_signed_in_the_senders_header_is_refused(headers: Iterable[tuple[str, Any]] | None) -> None:
    assert await refused(webhooks.Came("somebody", headers, BODY)) == ("UNAUTHENTICATED", "SIGNATURE_INVALID")


async def test_who_has_no_secret_or_another_name_is_not_known_whatever_the_signature() -> None:
    unknown = ("NOT_FOUND", "PROVIDER_NOT_FOUND")
    assert await refused(webhooks.Came("nobody", [signed(BODY)], BODY)) == unknown
    assert await refused(webhooks.Came("somebody", [signed(BODY, "")], BODY), secrets="") == unknown


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000])
async def test_what_is_no_event_is_refused_after_its_signature_was_checked(body: bytes) -> None:
    assert (await refused(webhooks.Came("somebody", [signed(body)], body)))[1] == "EVENT_INVALID"
    assert (await refused(webhooks.Came("somebody", [signed(body, "a-guess")], body)))[1] == "SIGNATURE_INVALID"


@pytest.mark.parametrize(
    ("value", "found"), [(ID.upper(), ID), (ID, ID), ("p1", ""), (None, ""), ({}, ""), (7, ""), ("x" * 10_000, "")]
)
def test_an_id_of_ours_is_recognised_whatever_the_sender_says_instead(value: Any, found: str) -> None:
    assert webhooks.own_id(value) == found
