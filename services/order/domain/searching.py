"""What orders are searched by, and what a vendor sees of an order."""

from dataclasses import dataclass
from datetime import datetime

from services.order import domain
from services.order.domain import Status

# While an order is in these, somebody ships it: its vendors see where to.
SHIPPED_TO = frozenset({Status.CONFIRMED, Status.FULFILLING, Status.SHIPPED})


@dataclass(frozen=True, slots=True)
class Span:
    """Orders accepted at `start` or later and before `end`; None: whenever."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What must all be true of an order. Empty: any."""

    span: Span = Span()
    status: Status | None = None
    user_id: str = ""
    sku: str = ""
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class VendorOrder:
    """An order as one of its vendors sees it: its lines and their sums. address is None while it is none of its business."""

    order_id: str
    status: Status
    lines: tuple[domain.Line, ...]
    totals: domain.Totals
    address: domain.Address | None
    create_time: datetime
    update_time: datetime


def for_vendor(placed: domain.Placed, vendor_id: str) -> VendorOrder:
    """What this vendor sees of an order that holds lines of it."""
    order, status = placed.order, placed.saga.status
    lines = tuple(line for line in order.lines if line.vendor_id == vendor_id)
    return VendorOrder(
        order_id=order.id,
        status=status,
        lines=lines,
        totals=domain.totals_of(lines, taxes_included=order.taxes_included),
        address=order.address if status in SHIPPED_TO else None,
        create_time=order.create_time,
        update_time=placed.saga.update_time,
    )
