"""Second factors: what a code is worth. Codes of an authenticator are RFC 6238; recovery codes stand in for it, once each.

Who gets this far has sent the right password. A code of the authenticator counts once: its step must be later than the last
that counted. Wrong ones are counted, because a million of them are all there are; the count never stands in the way of a
recovery code, nor of who signed in from the same address before, so that nobody is locked out by somebody who guesses.
"""

import dataclasses
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

import pyotp

from services.chassis import errors

ISSUER = "Souk"
STEP_S, WINDOW = 30, 1
# How long a secret that was not confirmed may still be.
ENROLMENT = timedelta(hours=1)
# So many wrong codes of an authenticator are looked at in so long: who guesses on may expect to be right once in two years.
MOST_WRONG, WRONG_WITHIN = 20, timedelta(hours=1)
RECOVERY_CODES = 10
_DIGITS = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Factor:
    """What is kept of a second factor. enable_time is None until it is confirmed; used_step is the last that counted."""

    user_id: str
    secret: str = field(repr=False)
    create_time: datetime
    enable_time: datetime | None = None
    used_step: int = 0
    wrong_codes: int = 0
    wrong_since: datetime | None = None
    recovery: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is told, once."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it was sent, and the digest that it has if it is a recovery code. trusted: from where its owner signs in."""

    text: str = field(repr=False)
    digest: bytes
    trusted: bool = False


class Verdict(Enum):
    """What a code is worth."""

    OFF = auto()  # nothing: the account needs none
    MISSING = auto()
    RIGHT = auto()
    WRONG = auto()
    EXHAUSTED = auto()  # it was not looked at: too many were wrong


def enrolment(secret: str, email: str) -> Enrolment:
    """What an authenticator of this account is told."""
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER))


def kept(code: str) -> str:
    """A code in the form that is compared: people type it with spaces, hyphens and small letters."""
    return "".join(code.replace("-", " ").split()).upper()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step that this is the code of, if it is one of now or of a step before or after it."""
    totp = pyotp.TOTP(secret)
    here = int(now.timestamp()) // STEP_S
    steps = range(here - WINDOW, here + WINDOW + 1)
    # All are compared, whichever matches: how long it takes says nothing.
    matching = [step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), code)]
    return matching[-1] if matching else None


def judged(factor: Factor, code: Code, now: datetime) -> tuple[Verdict, Factor]:
    """What a code is worth, and the factor as it is after it. The factor's secret is in the clear."""
    if code.digest in factor.recovery:
        left = tuple(digest for digest in factor.recovery if digest != code.digest)
        return Verdict.RIGHT, dataclasses.replace(factor, recovery=left)
    if not _DIGITS.fullmatch(code.text):
        return Verdict.WRONG, factor
    since = factor.wrong_since
    wrong = factor.wrong_codes if since is not None and now - since < WRONG_WITHIN else 0
    if wrong >= MOST_WRONG and not code.trusted:
        return Verdict.EXHAUSTED, factor
    step = step_of(factor.secret, code.text, now)
    if step is not None and step > factor.used_step:
        return Verdict.RIGHT, dataclasses.replace(factor, used_step=step)
    return Verdict.WRONG, dataclasses.replace(factor, wrong_codes=wrong + 1, wrong_since=since if wrong else now)


def confirmed(factor: Factor | None, code: str, now: datetime) -> Factor:
    """The factor switched on by a code. Raises SECOND_FACTOR_NOT_BEGUN, SECOND_FACTOR_EXISTS or CODE_WRONG."""
    if factor is not None and factor.enable_time is not None:
        raise exists()
    if factor is None or now - factor.create_time > ENROLMENT:
        raise errors.precondition("SECOND_FACTOR_NOT_BEGUN", "begin the enrolment first: its secret counts for an hour")
    step = step_of(factor.secret, kept(code), now)
    if step is None:
        raise code_wrong()
    return dataclasses.replace(factor, enable_time=now, used_step=step)


def required() -> errors.DomainError:
    """The password was right, and a code is missing."""
    said = "the account has a second factor: send a code of the authenticator, or a recovery code, with the password"
    return errors.DomainError(errors.Code.UNAUTHENTICATED, "SECOND_FACTOR_REQUIRED", said)


def wrong() -> errors.DomainError:
    """The password was right; the code is wrong, or was used before: which is not said."""
    said = "the code is wrong, or was used before: wait for the next one"
    return errors.DomainError(errors.Code.UNAUTHENTICATED, "SECOND_FACTOR_WRONG", said)


def exhausted() -> errors.DomainError:
    """Too many codes were wrong."""
    said = "too many codes were wrong: use a recovery code, or retry later"
    wait = WRONG_WITHIN.total_seconds()
    return errors.DomainError(errors.Code.RESOURCE_EXHAUSTED, "SECOND_FACTOR_EXHAUSTED", said, retry_after_s=wait)


def refusal(verdict: Verdict) -> errors.DomainError | None:
    """What somebody who signs in is told of a code, when it lets nobody in."""
    match verdict:
        case Verdict.MISSING:
            return required()
        case Verdict.WRONG:
            return wrong()
        case Verdict.EXHAUSTED:
            return exhausted()
    return None


def code_wrong() -> errors.DomainError:
    """Who is signed in sent a code that is wrong, or was used before."""
    said = "the code is wrong, or was used before"
    return errors.invalid("CODE_WRONG", said, errors.Violation("code", said, "CODE_WRONG"))


def exists() -> errors.DomainError:
    """The account has one."""
    return errors.precondition("SECOND_FACTOR_EXISTS", "the account has a second factor: switch it off first")


def off() -> errors.DomainError:
    """The account has none."""
    return errors.precondition("SECOND_FACTOR_OFF", "the account has no second factor")
