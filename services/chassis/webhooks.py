"""Webhooks: what an outside system tells of by itself, from the bytes that came to an event that was believed.

A service says whom it listens to (`Sender`), how an event of theirs is read, and what hears it; a `Door` is the same for all.
Nothing about an event is believed before its signature (`signatures`) is, and each answer is the same at every door.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from services.chassis import clock, credentials, errors, ids, signatures

Event = TypeVar("Event")

_NO_EVENT = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


class Verify(Protocol):
    """How a sender signs."""

    def __call__(self, header: str, body: bytes, secrets: credentials.Credential, *, now: datetime) -> None:
        """Raise SIGNATURE_INVALID unless the header signs this body by one of the secrets."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom we listen to: by which name in the path, which header signs, and with which secrets. Without any, to nobody.

    verify checks the header's signature of the body: see `signatures`.
    """

    name: str
    header: str
    secrets: credentials.Credential
    verify: Verify = signatures.verify


@dataclass(frozen=True, slots=True)
class Came:
    """A webhook as it came: the name in its path, its headers in lower case, and its body byte for byte."""

    sender: str
    headers: Iterable[tuple[str, str | bytes]] | None
    body: bytes


class Door(Generic[Event]):
    """Where the webhooks of one sender come in. reads makes an event of a JSON value, and raises ValueError or the like."""

    def __init__(
        self,
        sender: Sender,
        reads: Callable[[Any], Event],
        hear: Callable[[Event], Awaitable[None]],
        *,
        now: clock.Clock,
    ) -> None:
        self._sender = sender
        self._reads = reads
        self._hear = hear
        self._now = now

    async def receive(self, came: Came) -> None:
        """Have an event heard. Raises PROVIDER_NOT_FOUND, SIGNATURE_INVALID or EVENT_INVALID, and what its hearer raises."""
        await self._hear(self.read(came))

    def read(self, came: Came) -> Event:
        """The event that came. Raises PROVIDER_NOT_FOUND, SIGNATURE_INVALID or EVENT_INVALID."""
        if came.sender != self._sender.name or not self._sender.secrets:
            said = "the shop does not take webhooks of this provider"
            raise errors.not_found("PROVIDER_NOT_FOUND", said, provider=came.sender)
        header = next((str(value) for name, value in came.headers or () if name == self._sender.header), "")
        self._sender.verify(header, came.body, self._sender.secrets, now=self._now())
        try:
            return self._reads(json.loads(came.body))
        except _NO_EVENT as error:
            raise errors.invalid("EVENT_INVALID", "the body is no event of this provider") from error


def own_id(value: Any) -> str:
    """An id of ours that the sender was given; empty when it is none."""
    try:
        return ids.canonical(str(value or ""))
    except ValueError:
        return ""
