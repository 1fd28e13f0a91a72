"""Whose trace the provider's answer carries: the calls are made later, in batches, by a worker that no caller waits for."""

import secrets

from services.chassis import database, tracing
from services.payment.domain import State
from tests.integration.payment.till import Till, cancelled, confirmed, new_id, requested

_CARRIED = database.Statement("SELECT type, traceparent FROM outbox WHERE key = %(key)s ORDER BY id")


def new_trace() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


async def carried(till: Till, order_id: str) -> list[tuple[str, str]]:
    rows = await till.db.read(_CARRIED, {"key": order_id})
    return [(kind.rsplit(".", 1)[1], traceparent) for kind, traceparent in rows]


async def test_what_is_told_of_each_order_carries_the_trace_of_the_call_that_caused_it(till: Till) -> None:
    traces = {new_id(): new_trace() for _ in range(20)}
    with tracing.causing(traces):
        await till.say(*(requested(order_id) for order_id in traces))
    for order_id in traces:
        await till.reaches(order_id, State.AUTHORIZED)
    [ended, *kept] = traces
    later = new_trace()
    with tracing.causing(traces | {ended: later}):
        await till.say(*(confirmed(order_id) for order_id in kept), cancelled(ended))
    for order_id in kept:
        await till.reaches(order_id, State.CAPTURED)
        named = [("PaymentAuthorized", traces[order_id]), ("PaymentCaptured", traces[order_id])]
        assert await carried(till, order_id) == named
    await till.reaches(ended, State.VOIDED)
    assert await carried(till, ended) == [("PaymentAuthorized", traces[ended]), ("PaymentVoided", later)]
