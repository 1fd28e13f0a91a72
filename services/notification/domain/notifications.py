"""A message, from the wish to tell somebody something to what came of sending it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.chassis import errors
from services.notification.domain.kinds import Channel, Kind, Language, Template
from services.notification.domain.preferences import Preferences


class State(StrEnum):
    """Where a message is. The words are those of the contract and of SQL."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


class Outcome(StrEnum):
    """What came of trying to send."""

    SENT = "sent"
    # It will never be taken: no such mailbox, number or device, or its owner wants nothing.
    REFUSED = "refused"
    # Not now: the server says so, or fell silent while it was being told.
    DEFERRED = "deferred"
    # There was no server to tell: that is not the message's fault, and no attempt.
    AWAY = "away"
    # Its recipient has quiet hours: nobody was asked, and it is no attempt either.
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to, and where; a phone number or push endpoint that is not known is empty.

    version counts the changes of the account, from 1 for the registration. email_verified: somebody has proved to read mail at
    the address. Until then it may be a stranger's, and no text that a person chose is sent there. bounced_email is the last
    address from which mail came back; empty when none did.
    """

    user_id: str
    email: str
    display_name: str
    version: int = 1
    phone_number: str = ""
    push_endpoint: str = ""
    email_verified: bool = False
    bounced_email: str = ""

    @property
    def bounces(self) -> bool:
        """Whether mail to the address comes back."""
        return bool(self.email) and self.email.lower() == self.bounced_email.lower()

    def address(self, channel: Channel) -> str:
        """Where messages of this channel go; empty when nowhere."""
        return {Channel.EMAIL: self.email, Channel.SMS: self.phone_number, Channel.PUSH: self.push_endpoint}[channel]


@dataclass(frozen=True, slots=True)
class Letter:
    """A wish to tell a user something. occasion_id is what it is about (an order, a user, a refund): told once per template."""

    user_id: str
    template: Template
    occasion_id: str
    details: Mapping[str, Any] = field(default_factory=dict)
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class LowStock:
    """A SKU of which less than its threshold was left when it was told."""

    sku: str
    available: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Message:
    """What an administrator, or a service, wants to tell a user. request_id is empty when the caller will not repeat the call.

    Without channels it goes over those that the user chose for its kind. early: the user's contact may arrive later. email is
    where mail goes instead of the contact's address, unless it is empty.
    """

    user_id: str
    subject: str
    text: str
    actor: str
    request_id: str = ""
    fingerprint: bytes = b""
    kind: Kind = Kind.ACCOUNT
    channels: Sequence[Channel] = ()
    sensitive: bool = False
    early: bool = False
    email: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message as it is stored. details is what its template needs beside the contact's name.

    Those of a sensitive one are erased once it is sent or given up.
    """

    id: str
    user_id: str
    template: Template
    occasion_id: str
    subject: str
    details: Mapping[str, Any]
    create_time: datetime
    channel: Channel = Channel.EMAIL
    state: State = State.QUEUED
    reason: str = ""
    send_time: datetime | None = None
    sensitive: bool = False

    @property
    def order_id(self) -> str:
        """The order it is about; empty when it is about none."""
        return str(self.details.get("order_id", ""))

    @property
    def language(self) -> Language:
        """What it is written in."""
        return Language(self.details.get("language", Language.EN))

    @property
    def kind(self) -> Kind:
        """What sort of message it is."""
        return Kind(self.details.get("kind", self.template.kind))

    def recipient(self, contact: Contact) -> Contact:
        """Who gets it: the contact, or nobody known at the address that the message names itself."""
        email = str(self.details.get("to", ""))
        return replace(contact, email=email, email_verified=False) if email else contact


@dataclass(frozen=True, slots=True)
class Result:
    """What came of trying to send one message, and why, as a reason code or the server's words.

    wait_s is when to try again, in seconds; 0 where nobody knows.
    """

    outcome: Outcome
    reason: str = ""
    wait_s: float = 0.0


def becomes(result: Result, *, attempt: int, most_attempts: int) -> State:
    """What a message becomes after its `attempt`th try, counted from 1."""
    match result.outcome:
        case Outcome.SENT:
            return State.SENT
        case Outcome.REFUSED:
            return State.FAILED
        case Outcome.DEFERRED if attempt >= most_attempts:
            return State.FAILED
        case _:
            return State.QUEUED


def channels_of(message: Message, preferences: Preferences) -> list[Channel]:
    """The channels that an administrator's message goes over. Raises CHANNEL_NOT_CHOSEN where the user wants none."""
    chosen = preferences.channels(message.kind)
    unwanted = [channel for channel in message.channels if channel not in chosen]
    if unwanted or not chosen:
        over = ", ".join(unwanted) or "any channel"
        raise errors.precondition(
            "CHANNEL_NOT_CHOSEN",
            f"the user does not receive {message.kind} messages over {over}",
            kind=message.kind,
            channels=over,
        )
    return [channel for channel in chosen if channel in message.channels] or chosen
