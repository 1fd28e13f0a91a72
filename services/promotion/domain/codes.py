"""Codes: how they are written, and how ones that cannot be guessed are made."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.chassis import errors
from services.promotion.domain.promotions import Promotion

# 32 characters, so that each random byte gives one of them with equal chance; none that look like another.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
# 60 random bits each: of 100,000 codes nobody guesses one within the edge's limits.
RANDOM_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Code:
    """A code, and how many orders use it. most_uses 0: no limit of its own."""

    code: str
    promotion_id: str
    batch_id: str
    most_uses: int
    uses: int = 0

    @property
    def left(self) -> int | None:
        """How many orders can still use it; None: as many as like."""
        return self.most_uses - self.uses if self.most_uses else None


@dataclass(frozen=True, slots=True)
class Batch:
    """Codes that were made together: how many of which promotion."""

    id: str
    promotion_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Order:
    """Codes to be made: this one, or `count` generated ones that begin with prefix. request_id may be empty."""

    promotion_id: str
    actor: str
    code: str = ""
    count: int = 1
    prefix: str = ""
    most_uses: int = 0
    request_id: str = ""
    fingerprint: bytes = b""


def written(code: str) -> str:
    """A code as it is kept and compared, however it was entered."""
    return code.strip().upper()


def generated(chance: bytes, prefix: str) -> Iterator[str]:
    """A code for each RANDOM_LENGTH bytes of chance."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in chance)
    for start in range(0, len(letters), RANDOM_LENGTH):
        yield written(prefix) + letters[start : start + RANDOM_LENGTH]


def check_takes_codes(promotion: Promotion) -> None:
    """Raise PROMOTION_AUTOMATIC for a promotion that applies without a code."""
    if promotion.terms.automatic:
        raise errors.precondition("PROMOTION_AUTOMATIC", "an automatic promotion takes no codes")


def taken(code: str) -> errors.DomainError:
    """What is raised for a code that exists already."""
    said = "the code exists already"
    return errors.DomainError(errors.Code.ALREADY_EXISTS, "CODE_TAKEN", said, {"code": code})
