"""Proofs that somebody reads the mail of an address: tokens that are sent there, expire, and count once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.chassis import errors

# So many letters of one purpose an account gets within so long: mail is not to be a weapon, and one of them is enough.
MOST_LETTERS, LETTERS_WITHIN = 5, timedelta(hours=1)


class Purpose(StrEnum):
    """What a proof is for. The words are those of SQL."""

    RESET = "RESET"
    VERIFY = "VERIFY"


LIFETIMES: Mapping[Purpose, timedelta] = {Purpose.RESET: timedelta(hours=1), Purpose.VERIFY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Letter:
    """A wish to send a token to an address, where there may be an account or not."""

    id: str
    purpose: Purpose
    email: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter that is to be sent now, to the account with this address (None: there is none, or it got enough of them)."""

    letter: Letter
    attempt: int
    epoch: int
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A claimed letter with a token of its own, whose text is kept nowhere; None for one that is not to be sent."""

    claimed: Claimed
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept of a token: its digest, whom it was sent to, and until when it counts."""

    digest: bytes
    letter_id: str
    user_id: str
    purpose: Purpose
    email: str
    create_time: datetime
    expire_time: datetime


SUBJECTS: Mapping[Purpose, str] = {
    Purpose.RESET: "Reset your password",
    Purpose.VERIFY: "Verify your email address",
}
_TEXTS: Mapping[Purpose, str] = {
    Purpose.RESET: "a new password was requested for your account. Enter this code within an hour to choose one:",
    Purpose.VERIFY: "enter this code within a day to verify that this is your email address:",
}


def text(purpose: Purpose, token: str) -> str:
    """What a letter says, below its greeting."""
    ignored = "If it was not you, ignore this message: nothing has changed, and nobody else knows the code."
    return f"{_TEXTS[purpose]}\n{token}\n{ignored}"


def not_valid() -> errors.DomainError:
    """The token is unknown, used or expired: which is not said."""
    said = "the token is not valid, or not any more: ask for another one"
    return errors.precondition("TOKEN_NOT_VALID", said)
