"""What the provider tells of by itself: only it can, each event counts once, and no order of them moves a payment back."""

import itertools
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from services.chassis import database, signatures
from services.payment.domain import State
from souk.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from tests.integration.payment import till as tills
from tests.integration.payment.till import PRICE, Till, cancelled, confirmed, new_id, requested
from tests.support import calls

PAYMENT = database.Statement("SELECT id::text, provider_reference, version FROM payments WHERE order_id = %(order)s")
HEARD = database.Statement("SELECT count(*) FROM webhook_events WHERE event_id = %(id)s")
BALANCES = database.Statement("""
SELECT account, sum(e.amount) FROM ledger_entries e JOIN payments p ON p.id = e.payment_id
WHERE p.order_id = %(order)s GROUP BY account HAVING sum(e.amount) <> 0 ORDER BY account
""")
LATER = database.Statement("""
UPDATE payments SET next_try_at = clock_timestamp() + interval '1 hour', attempts = 1 WHERE order_id = %(order)s
""")
RECEIVABLE, REVENUE = "provider_receivable", "order_revenue"


@dataclass
class Door:
    """Where the provider's webhooks come in."""

    stub: Any
    till: Till

    async def tell(self, kind: str, about: dict[str, Any], *, event_id: str = "", secret: str = "whsec_new") -> str:  # noqa: S107
        """Send an event as the provider signs it: its id."""
        event_id = event_id or f"evt_{uuid.uuid4().hex}"
        event = {"id": event_id, "type": kind, "created": int(time.time()), "data": {"object": about}}
        await self.send(json.dumps(event).encode(), secret=secret)
        return event_id

    async def send(self, body: bytes, *, secret: str = "whsec_new", provider: str = "simulator") -> None:  # noqa: S107
        """Send these bytes."""
        seconds = int(time.time())
        signed = f"t={seconds},v1={signatures.code(secret, f'{seconds}.'.encode() + body)}"
        request = payment_service_pb2.ReceiveWebhookRequest(provider=provider, event={"data": body})
        await self.stub.ReceiveWebhook(request, metadata=(("webhook-signature", signed),))

    async def payment(self, order: str) -> tuple[str, str, int]:
        """An order's payment: its id, the provider's, and its version."""
        [[payment_id, reference, version]] = await self.till.db.read(PAYMENT, {"order": order})
        return payment_id, reference, version

    async def balances(self, order: str) -> dict[str, int]:
        """What stands in each account of the ledger for an order."""
        return {row[0]: int(row[1]) for row in await self.till.db.read(BALANCES, {"order": order})}

    async def captured(self) -> str:
        """An order whose money was taken."""
        order = new_id()
        await self.till.say(requested(order))
        await self.till.reaches(order, State.AUTHORIZED)
        await self.till.say(confirmed(order))
        await self.till.reaches(order, State.CAPTURED)
        return order

    async def dispute(self, order: str, dispute_id: str, status: str) -> None:
        """Tell where a dispute about an order's money is."""
        about = {"id": dispute_id, "charge": (await self.payment(order))[1], "amount": PRICE.amount, "status": status}
        await self.tell(f"dispute.{status}", about | {"reason": "fraudulent"})


@pytest_asyncio.fixture
async def door(till: Till) -> AsyncIterator[Door]:
    async with calls.served(tills.servicer(till), "payment") as shop:
        yield Door(payment_service_pb2_grpc.PaymentServiceStub(shop.channel), till)


@pytest.mark.parametrize("secret", ["whsec_new", "whsec_old"])
async def test_an_event_is_written_down_once_however_often_it_comes(door: Door, secret: str) -> None:
    event_id = await door.tell("charge.captured", {"id": "ch_unknown", "reference": "x"}, secret=secret)
    await door.tell("charge.captured", {"id": "ch_unknown", "reference": "x"}, event_id=event_id, secret=secret)

    assert await door.till.db.read(HEARD, {"id": event_id}) == [(1,)]


async def test_what_the_provider_did_not_sign_is_refused(door: Door) -> None:
    forged = door.tell("charge.captured", {"id": "ch_1"}, event_id="evt_forged", secret="a-guess")

    assert (await calls.refused(forged)).reason == "SIGNATURE_INVALID"
    assert await door.till.db.read(HEARD, {"id": "evt_forged"}) == [(0,)]


@pytest.mark.parametrize(
    ("body", "provider", "reason"),
    [
        (b"{}", "stripe", "PROVIDER_NOT_FOUND"),
        (b"not json", "simulator", "EVENT_INVALID"),
        (b"[]", "simulator", "EVENT_INVALID"),
        (
            b'{"id":"evt_1","type":"charge.captured","created":"now","data":{"object":{"id":"ch"}}}',
            "simulator",
            "EVENT_INVALID",
        ),
    ],
)
async def test_what_is_no_event_of_the_provider_is_refused(door: Door, body: bytes, provider: str, reason: str) -> None:
    assert (await calls.refused(door.send(body, provider=provider))).reason == reason


async def test_types_that_nobody_knows_are_accepted_and_do_nothing(door: Door) -> None:
    order = await door.captured()
    before = await door.payment(order)

    event_id = await door.tell("balance.available", {"object": "balance"})

    assert await door.till.db.read(HEARD, {"id": event_id}) == [(1,)]
    assert await door.payment(order) == before


async def test_news_of_a_payment_make_it_be_asked_about_at_once(door: Door) -> None:
    order = new_id()
    await door.till.say(requested(order))
    await door.till.reaches(order, State.AUTHORIZED)
    await door.till.control(mode="down")
    await door.till.say(confirmed(order))
    await door.till.db.read(LATER, {"order": order})
    await door.till.control(mode="normal")

    await door.tell("charge.captured", {"id": (await door.payment(order))[1], "reference": order})

    await door.till.reaches(order, State.CAPTURED)


@pytest.mark.parametrize(
    "kinds", list(itertools.permutations(["charge.authorized", "charge.captured", "charge.voided"]))
)
async def test_no_order_of_events_moves_a_payment(door: Door, kinds: tuple[str, ...]) -> None:
    order = await door.captured()
    before = await door.payment(order)

    for kind in kinds:
        await door.tell(kind, {"id": before[1], "reference": order})

    assert (await door.payment(order), await door.till.state(order)) == (before, State.CAPTURED)


async def test_a_refund_that_fails_after_it_succeeded_is_taken_out_of_the_ledger_once(door: Door) -> None:
    order = await door.captured()
    await door.till.say(cancelled(order))
    await door.till.reaches(order, State.REFUNDED)
    payment_id, reference, _ = await door.payment(order)
    assert await door.balances(order) == {}

    failed = {"charge": reference, "call": f"{payment_id}:refund", "amount": PRICE.amount, "reason": "expired_card"}
    for _ in range(2):
        await door.tell("refund.failed", failed)

    assert await door.balances(order) == {RECEIVABLE: PRICE.amount, REVENUE: -PRICE.amount}
    assert await door.till.state(order) == State.CAPTURED


async def test_a_refund_that_never_succeeded_is_not_taken_out(door: Door) -> None:
    order = await door.captured()
    payment_id, reference, version = await door.payment(order)

    await door.tell(
        "refund.failed", {"charge": reference, "call": f"{payment_id}:refund:r1", "amount": 100, "reason": "x"}
    )

    assert (await door.payment(order))[2] == version


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (["needs_response"], {RECEIVABLE: 0, "disputed": 1, REVENUE: -1}),
        (["needs_response", "won"], {RECEIVABLE: 1, REVENUE: -1}),
        (["needs_response", "lost"], {"dispute_losses": 1, REVENUE: -1}),
        (["lost", "needs_response"], {"dispute_losses": 1, REVENUE: -1}),
        (["won", "needs_response", "won"], {RECEIVABLE: 1, REVENUE: -1}),
        (["needs_response", "under_review", "lost", "needs_response"], {"dispute_losses": 1, REVENUE: -1}),
    ],
)
async def test_a_dispute_follows_in_the_ledger_in_any_order(door: Door, told: list[str], left: dict[str, int]) -> None:
    order, dispute_id = await door.captured(), f"dp_{uuid.uuid4().hex}"

    for status in told:
        await door.dispute(order, dispute_id, status)
        await door.dispute(order, dispute_id, status)

    expected = {account: share * PRICE.amount for account, share in left.items() if share}
    assert await door.balances(order) == expected
