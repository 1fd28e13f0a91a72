"""The one error of the domain. It knows nothing of gRPC, yet survives it: `rpc/status.py` carries it across, both ways.

Raise a `DomainError` for everything a caller can act on. Anything else that is raised reaches the caller as INTERNAL
with a fixed text, and its stack only the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Code(Enum):
    """What a caller can do about an error. The values are those of `google.rpc.Code`, so that they need no table."""

    INVALID_ARGUMENT = 3  # change the request
    DEADLINE_EXCEEDED = 4  # ask whether it happened
    NOT_FOUND = 5  # it is not there, or not for you to see
    ALREADY_EXISTS = 6  # somebody made it before
    PERMISSION_DENIED = 7  # you may not
    RESOURCE_EXHAUSTED = 8  # slow down
    FAILED_PRECONDITION = 9  # change its state first
    ABORTED = 10  # somebody changed it meanwhile: read and repeat
    INTERNAL = 13  # our fault
    UNAVAILABLE = 14  # repeat later
    UNAUTHENTICATED = 16  # say who you are


# The metadata that says how many violations there are, when they are too many to list.
VIOLATIONS = "violations"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with one field of a request."""

    field: str
    description: str
    reason: str = ""


@dataclass(eq=False)
class DomainError(Exception):
    """An error with a reason that a machine can read.

    code says what the caller can do. reason is an UPPER_SNAKE code that is part of the contract. message is for a
    person; every word in it that varies is in metadata too. violations name all wrong fields at once.
    retry_after_s tells when repeating makes sense, in seconds. domain is the service it comes from: empty until
    the server that renders it fills it in. details are messages that spare the caller a call, for example what it
    would read next: `rpc.py` adds them, and one that is too large for a status is left out.
    """

    code: Code
    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after_s: float | None = None
    domain: str = ""
    details: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class TransientError(Exception):
    """Something this process depends on is unavailable for now. Repeating the same work later may succeed."""


def not_found(reason: str, message: str, **metadata: str) -> DomainError:
    """It is not there, or not for this caller to see: the two look the same."""
    return DomainError(Code.NOT_FOUND, reason, message, metadata)


def invalid(reason: str, message: str, *violations: Violation, **metadata: str) -> DomainError:
    """The request is wrong in these fields."""
    return DomainError(Code.INVALID_ARGUMENT, reason, message, metadata, violations)


def overloaded() -> DomainError:
    """Too many calls are waiting already: nothing was done for this one. Callers of ours do not repeat it by themselves."""
    said = "too many calls are waiting; retry after a while"
    return DomainError(Code.RESOURCE_EXHAUSTED, "OVERLOADED", said, retry_after_s=1.0)


def unavailable() -> DomainError:
    """Something that is needed for the answer is away."""
    said = "a dependency of this service is unavailable"
    return DomainError(Code.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", said, retry_after_s=1.0)


def precondition(reason: str, message: str, **metadata: str) -> DomainError:
    """The request is right, but not in this state."""
    return DomainError(Code.FAILED_PRECONDITION, reason, message, metadata)
