"""The rules of a charge: what each request makes of it. Pure: no clock, no I/O."""

from dataclasses import dataclass, fields, replace
from typing import Any

AUTHORIZED = "authorized"
CAPTURED = "captured"
PARTIALLY_REFUNDED = "partially_refunded"
REFUNDED = "refunded"
VOIDED = "voided"
REQUIRES_ACTION = "requires_action"
DECLINED = "declined"


class Refused(Exception):  # noqa: N818 - it is the provider's answer, not a fault of the program
    """A definite no, with its HTTP status and code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Charge:
    """Money held or taken from one payment method; amounts in minor units of the currency."""

    id: str
    status: str
    amount: int
    currency: str
    reference: str
    payment_method: str
    captured_amount: int = 0
    refunded_amount: int = 0
    next_action: dict[str, str] | None = None
    """Where the customer confirms, while that is awaited: {type, url}."""
    error: dict[str, str] | None = None
    """Why it was declined after its customer was asked: {code, message}."""


def confirm(charge: Charge, decline: dict[str, str] | None) -> Charge:
    """Hold the money, as the customer has confirmed, or say why not."""
    return replace(charge, status=DECLINED if decline else AUTHORIZED, next_action=None, error=decline)


def capture(charge: Charge, amount: int | None) -> Charge:
    """Take `amount` of the held money, all of it when None. Raises Refused."""
    taken = charge.amount if amount is None else amount
    if charge.captured_amount:
        raise Refused(409, "charge_already_captured", "The charge was captured before.")
    if charge.status != AUTHORIZED:
        raise Refused(409, "charge_not_capturable", f"The charge is {charge.status}.")
    if taken > charge.amount:
        raise Refused(409, "capture_exceeds_charge", f"Only {charge.amount} is held.")
    return replace(charge, status=CAPTURED, captured_amount=taken)


def void(charge: Charge) -> Charge:
    """Let the held money go, or wait for no customer; what holds nothing stays as it is. Raises Refused when it was captured."""
    if charge.captured_amount:
        raise Refused(409, "charge_already_captured", "A captured charge is refunded, not voided.")
    if charge.status == DECLINED:
        return charge
    return replace(charge, status=VOIDED, next_action=None)


def refund(charge: Charge, amount: int | None) -> Charge:
    """Give back `amount` of the taken money, all that is left of it when None. Raises Refused."""
    left = charge.captured_amount - charge.refunded_amount
    if not charge.captured_amount:
        raise Refused(409, "charge_not_refundable", f"The charge is {charge.status}: nothing was captured.")
    given = left if amount is None else amount
    if not 0 < given <= left:
        raise Refused(409, "refund_exceeds_capture", f"Only {left} is left to give back.")
    status = REFUNDED if given == left else PARTIALLY_REFUNDED
    return replace(charge, status=status, refunded_amount=charge.refunded_amount + given)


def fail_refund(charge: Charge, amount: int) -> Charge:
    """Take back `amount` of what was given back: the customer's bank did not accept it."""
    left = charge.refunded_amount - amount
    return replace(charge, status=PARTIALLY_REFUNDED if left else CAPTURED, refunded_amount=left)


FIELDS = tuple(field.name for field in fields(Charge))


def shown(charge: Charge) -> dict[str, Any]:
    """The charge as the API shows it and the log keeps it: with what there is."""
    return {name: getattr(charge, name) for name in FIELDS if getattr(charge, name) is not None}
