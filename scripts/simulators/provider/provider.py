"""What the provider decides: a call becomes one line of the log and one reply; a repeated call gets the first reply."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from scripts.simulators.provider import cards, charges, ledger
from scripts.simulators.provider.charges import Charge, Refused
from scripts.simulators.steered import FAILURE, Body, Response, error


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a charge: its rule, its effect in the log, and how much money the effect moved."""

    rule: Callable[[Charge, int | None], Charge]
    effect: str
    moved: Callable[[Charge, Charge], int]


def _let_go(before: Charge, _: Charge) -> int:
    return 0 if before.status == charges.REQUIRES_ACTION else before.amount


CHANGES = {
    "capture": Change(charges.capture, ledger.CAPTURED, lambda _, after: after.captured_amount),
    "void": Change(lambda charge, _: charges.void(charge), ledger.VOIDED, _let_go),
    "refund": Change(
        charges.refund, ledger.REFUNDED, lambda before, after: after.refunded_amount - before.refunded_amount
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One POST: which operation, under which idempotency key, asking for what."""

    operation: str
    key: str
    request: Body


# So many charges are listed at once.
PAGE = 100
NOT_FOUND = error(404, "charge_not_found", "There is no such charge.")


class Provider:
    """The provider over its log. Methods raise OSError when the log can't be written: then nothing happened.

    keys_last_s is how long it remembers an idempotency key, in seconds. tell is given each event, with what it is about. url is
    where it serves, which the page of a customer's bank is at.
    """

    def __init__(self, book: ledger.Ledger, keys_last_s: float, tell: Callable[[str, Body], None]) -> None:
        self._book = book
        self._tell = tell
        self.keys_last_s = keys_last_s
        self.url = ""

    def authorize(self, call: Call) -> Response:
        """Hold the money, or say why not. The request has amount, currency, payment_method and reference."""
        if known := self._book.binding(call.key, self.keys_last_s):
            return _again(known, call)
        card = cards.CARDS.get(call.request["payment_method"], cards.UNKNOWN)
        if self._book.failures(call.key) < card.failures:
            self._write(call, call.request, ledger.FAILED, FAILURE)
            return Response(FAILURE.status, FAILURE.body, card.failure)
        if card.decline:
            reply = _decline(call.request, card.decline)
            self._write(call, call.request, ledger.DECLINED, reply)
            return reply
        if card.action:
            return self._require_action(call)
        charge = Charge(id=f"ch_{secrets.token_hex(12)}", status=charges.AUTHORIZED, **call.request)
        reply = Response(200, charges.shown(charge), card.delivery)
        self._write(call, call.request, ledger.AUTHORIZED, reply)
        return reply

    def answer(self, charge_id: str, secret: str, *, confirmed: bool) -> Response:
        """What the customer does on their bank's page, which is known by a secret."""
        charge = self.asked(charge_id, secret)
        if charge is None:
            return NOT_FOUND
        code = cards.CARDS[charge.payment_method].action_decline if confirmed else "authentication_failed"
        changed = charges.confirm(charge, _reason(code) if code else None)
        call = Call("confirm", f"{charge.id}:confirm", {"confirmed": confirmed})
        reply = Response(200, charges.shown(changed))
        moved = {"amount": 0 if code else charge.amount}
        self._write(call, _nothing_of(charge) | moved, ledger.DECLINED if code else ledger.AUTHORIZED, reply)
        return reply

    def asked(self, charge_id: str, secret: str) -> Charge | None:
        """The charge whose customer is asked on the page with this secret; None for another."""
        charge = self._book.charge(charge_id)
        page = (charge.next_action or {}).get("url", "") if charge else ""
        return charge if page.endswith(f"/{charge_id}/{secret}") else None

    def change(self, call: Call) -> Response:
        """Capture, void or refund. The request has the charge's id and an amount; None means all that is left."""
        if known := self._book.binding(call.key, self.keys_last_s):
            return _again(known, call)
        charge = self._book.charge(call.request["charge"])
        if charge is None:
            return NOT_FOUND
        try:
            return self._apply(call, charge)
        except Refused as refusal:
            reply = error(refusal.status, refusal.code, refusal.message)
            self._write(call, _nothing_of(charge), ledger.REFUSED, reply)
            return reply

    def fail_refund(self, key: str, reason: str) -> Response:
        """The refund that was made with this key comes to nothing after all."""
        made = self._book.binding(key, self.keys_last_s)
        charge = self._book.charge(made.answer["id"]) if made and made.effect == ledger.REFUNDED else None
        if made is None or charge is None:
            return error(404, "refund_not_found", "There is no refund with this key.")
        changed = charges.fail_refund(charge, made.amount)
        reply = Response(200, charges.shown(changed))
        call = Call("refund_failure", f"{key}:failed", {"reason": reason})
        self._write(call, _nothing_of(charge) | {"amount": made.amount}, ledger.REFUND_FAILED, reply)
        about: Body = {"charge": charge.id, "call": key, "amount": made.amount, "reason": reason}
        self._tell("refund.failed", about | {"reference": charge.reference})
        return reply

    def dispute(self, charge_id: str, status: str, dispute_id: str) -> Response:
        """The customer's bank disputes a charge (`needs_response`), or a dispute ends (`won`, `lost`)."""
        charge = self._book.charge(charge_id)
        if charge is None:
            return NOT_FOUND
        about: Body = {
            "id": dispute_id or f"dp_{secrets.token_hex(12)}",
            "charge": charge.id,
            "reference": charge.reference,
        }
        about |= {"amount": charge.captured_amount, "status": status, "reason": "fraudulent"}
        self._tell(f"dispute.{status}", about)
        return Response(200, about)

    def look_up(self, key: str) -> Response:
        """What the authorisation with this key led to: the charge as it is now, or its decline."""
        known = self._book.binding(key, self.keys_last_s)
        if known is None or known.operation != "charge":
            return NOT_FOUND
        return Response(200, known.answer) if known.effect == ledger.DECLINED else self.get(known.answer["id"])

    def find(self, reference: str) -> Response:
        """The newest charge with this reference as it is now, whether or not its key is remembered."""
        charge = self._book.newest_charge(reference)
        return NOT_FOUND if charge is None else Response(200, charges.shown(charge))

    def page(self, after: int) -> Response:
        """A page of all charges as they are now, in the order in which they were made."""
        found = self._book.page(after, PAGE)
        following = str(after + len(found)) if len(found) == PAGE else None
        return Response(200, {"data": [charges.shown(charge) for charge in found], "next": following})

    def get(self, charge_id: str) -> Response:
        """The charge as it is now."""
        charge = self._book.charge(charge_id)
        return NOT_FOUND if charge is None else Response(200, charges.shown(charge))

    def _require_action(self, call: Call) -> Response:
        """A charge of which nothing is held before its customer has confirmed on their bank's page."""
        charge_id = f"ch_{secrets.token_hex(12)}"
        page = {"type": "redirect_to_url", "url": f"{self.url}/bank/{charge_id}/{secrets.token_urlsafe(12)}"}
        charge = Charge(id=charge_id, status=charges.REQUIRES_ACTION, next_action=page, **call.request)
        reply = Response(200, charges.shown(charge))
        self._write(call, call.request | {"amount": 0}, ledger.ACTION_REQUIRED, reply)
        return reply

    def _apply(self, call: Call, charge: Charge) -> Response:
        change = CHANGES[call.operation]
        changed = change.rule(charge, call.request["amount"])
        if call.operation == "capture" and cards.CARDS[charge.payment_method].capture_refused:
            raise Refused(402, "capture_refused", "The card's bank refuses to hand over the money.")
        reply = Response(200, charges.shown(changed))
        if changed == charge:
            self._write(call, _nothing_of(charge), ledger.UNCHANGED, reply)
        else:
            self._write(call, _nothing_of(charge) | {"amount": change.moved(charge, changed)}, change.effect, reply)
        return reply

    def _write(self, call: Call, money: Body, effect: str, reply: Response) -> None:
        self._book.write(
            ledger.Entry(
                operation=call.operation,
                key=call.key,
                request=call.request,
                reference=money["reference"],
                effect=effect,
                amount=money["amount"],
                currency=money["currency"],
                status=reply.status,
                answer=reply.body,
            )
        )
        if effect in ledger.MOVING or (effect == ledger.DECLINED and "id" in reply.body):
            self._tell(f"charge.{effect}", reply.body)


def _again(known: ledger.Entry, call: Call) -> Response:
    if (known.operation, known.request) != (call.operation, call.request):
        return error(409, "idempotency_key_reused", "The key was used before, for another request.")
    return Response(known.status, known.answer)


def _decline(request: Body, code: str) -> Response:
    return Response(402, {"status": "declined", **request, "error": _reason(code)})


def _reason(code: str) -> dict[str, str]:
    return {"code": code, "message": cards.DECLINES[code]}


def _nothing_of(charge: Charge) -> Body:
    return {"reference": charge.reference, "currency": charge.currency, "amount": 0}
