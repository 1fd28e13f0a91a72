"""How often sign-ins may fail before the next one has to wait, pure: guessing becomes slow, and nobody is locked out by it.

A network from which the account signed in before is counted for that account alone. All others count twice: on the account,
all of them together, so that changing the address does not help; and on the network, over all accounts. So whatever strangers do
to an account stands in nobody's way who signs in from where they did before. An account that does not exist is counted like one
that does. What is counted is kept under digests: no address can be read in it.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.chassis import errors

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
# Without failures for so long they are forgotten. Who waits for that gets fewer tries than who waits from try to try.
FORGOTTEN_AFTER = timedelta(hours=24)


class Whose(StrEnum):
    """What failures are counted on."""

    KNOWN = "known"  # an account and a network that it signed in from before
    ACCOUNT = "account"  # an account, from everywhere else
    NETWORK = "network"  # a network, over all accounts


# How many may fail before the next has to wait. Many people share the address of an office or of a mobile operator.
FREE_TRIES = {Whose.KNOWN: 10, Whose.ACCOUNT: 10, Whose.NETWORK: 100}


@dataclass(frozen=True, slots=True)
class Failures:
    """Tries that failed, or whose end nobody saw, and when there may be another."""

    whose: Whose
    key: bytes
    failures: int
    next_try_time: datetime
    expire_time: datetime


def keys(account: str, network: str, *, known: bool) -> dict[bytes, Whose]:
    """Where a try is counted, in the order in which rows are locked. A network that nobody knows (empty) has no count."""
    if known:
        wanted = [(Whose.KNOWN, f"{account}\n{network}")]
    else:
        wanted = [(Whose.ACCOUNT, account)] + ([(Whose.NETWORK, network)] if network else [])
    found = {hashlib.sha256(f"{whose}\n{name}".encode()).digest(): whose for whose, name in wanted}
    return dict(sorted(found.items()))


def wait_after(failures: int, free: int) -> timedelta:
    """How long there is no other try after so many that failed."""
    beyond = failures - free
    if beyond < 0:
        return timedelta(0)
    # More doublings than these are longer than the longest wait.
    return min(FIRST_WAIT * (1 << min(beyond, 10)), LONGEST_WAIT)


def tried(before: Failures, now: datetime) -> Failures:
    """The failures with one more, which is taken back when the try was right."""
    failures = (before.failures if before.expire_time > now else 0) + 1
    wait = wait_after(failures, FREE_TRIES[before.whose])
    return dataclasses.replace(before, failures=failures, next_try_time=now + wait, expire_time=now + FORGOTTEN_AFTER)


def refusal(counted: Sequence[Failures], now: datetime) -> errors.DomainError | None:
    """What somebody is told who has to wait; the same whether there is such an account or not."""
    # While tries are free there is no wait, also if another process, whose clock is a little ahead, wrote the time.
    waiting = [item for item in counted if item.failures >= FREE_TRIES[item.whose]]
    wait = max((item.next_try_time - now for item in waiting), default=timedelta(0))
    if wait <= timedelta(0):
        return None
    said = "too many sign-ins failed: retry later, or sign in from where you did before"
    seconds = wait.total_seconds()
    return errors.DomainError(errors.Code.RESOURCE_EXHAUSTED, "SIGN_IN_THROTTLED", said, retry_after_s=seconds)
