"""What the ledger says belongs to a vendor over a span of time. Pure: what can be asked, and what is answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis import errors, ids

# The longest span of a report.
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries from start until before end. currency and vendor_id are empty when those of all are wanted."""

    start: datetime
    end: datetime
    currency: str = ""
    vendor_id: str = ""


@dataclass(frozen=True, slots=True)
class Payout:
    """What belongs to a vendor (empty: the shop itself) in one currency, in minor units, and how many entries say so."""

    vendor_id: str
    currency: str
    captured: int
    refunded: int
    disputed: int
    captures: int
    refunds: int
    disputes: int

    @property
    def payable(self) -> int:
        """What is left of it."""
        return self.captured - self.refunded - self.disputed

    @property
    def key(self) -> str:
        """Where it stands in the report."""
        return f"{self.vendor_id}/{self.currency}"


def wanted(start: datetime, end: datetime, currency: str, vendor_id: str) -> Wanted:
    """What a report is asked for. Raises TIME_INVALID."""
    if not timedelta(0) < end - start <= LONGEST:
        raise time_invalid("to", f"must be after `from`, and at most {LONGEST.days} days")
    return Wanted(start, end, currency, vendor_id)


def time_invalid(field: str, said: str) -> errors.DomainError:
    """A moment that makes no sense."""
    return errors.invalid("TIME_INVALID", said, errors.Violation(field, said, "TIME_INVALID"))


def key(text: str) -> tuple[str, str]:
    """The vendor and currency of a payout's key. Raises ValueError."""
    vendor_id, _, currency = text.partition("/")
    if vendor_id:
        ids.check(vendor_id)
    if len(currency) != len("USD"):
        raise ValueError("no key of a payout")
    return vendor_id, currency
