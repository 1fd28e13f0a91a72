"""The provider's books against ours, on a real database and a real provider: each kind of difference is injected, and found."""

import secrets
from collections import Counter
from collections.abc import AsyncIterator

import pytest_asyncio

from services.chassis import clock, database
from services.payment import clients
from services.payment.domain import State
from services.payment.domain.reconciling import Kind
from services.payment.usecases import reconciling
from souk.payment.v1 import payment_service_pb2, payment_service_pb2_grpc
from tests.integration.payment import till as tills
from tests.integration.payment.till import Till, confirmed, new_id, requested
from tests.support import calls

FORGET = database.Statement("UPDATE payments SET create_time = now() - interval '30 days', provider_reference = ''")
NO_FINDINGS = database.Statement("DELETE FROM findings")
WRONG = {
    Kind.MISSING_AT_PROVIDER: "provider_reference = 'ch_nowhere', order_id = gen_random_uuid()",
    Kind.STATE_DIFFERS: "state = 'VOIDED'",
    Kind.CURRENCY_DIFFERS: "currency = 'EUR'",
    Kind.CAPTURED_DIFFERS: "captured = captured - 1",
    Kind.REFUNDED_DIFFERS: "refunded = refunded + 1",
}
BREAK = {
    kind: database.Statement(f"UPDATE payments SET {change} WHERE order_id = %(order)s")
    for kind, change in WRONG.items()
}
MEND = database.Statement("""
UPDATE payments SET state = 'CAPTURED', currency = 'USD', captured = amount, refunded = 0 WHERE order_id = %(order)s
""")


@pytest_asyncio.fixture
async def compared(till: Till, provider_url: str) -> AsyncIterator[reconciling.Reconciling]:
    """Books of which nothing was compared before, with a provider that other tests' charges are at."""
    await till.db.read(NO_FINDINGS)
    provider = clients.Provider(tills.settings(provider_url))
    await provider.start()
    yield reconciling.Reconciling(till.db, provider, now=clock.utc_now, every_s=0)
    await provider.stop()


async def captured(till: Till) -> str:
    order = new_id()
    await till.say(requested(order))
    await till.reaches(order, State.AUTHORIZED)
    await till.say(confirmed(order))
    await till.reaches(order, State.CAPTURED)
    return order


async def found(compared: reconciling.Reconciling, *orders: str) -> Counter[Kind]:
    """What a run finds about these orders, and about none in particular."""
    await compared.run()
    seen = [item.finding for item in await compared.listed()]
    return Counter(finding.kind for finding in seen if finding.order_id in orders)


async def test_books_that_agree_have_no_findings(till: Till, compared: reconciling.Reconciling) -> None:
    orders = [await captured(till) for _ in range(3)]

    assert await found(compared, *orders) == Counter()


async def test_every_injected_difference_is_found_and_goes_when_it_is_mended(
    till: Till, compared: reconciling.Reconciling
) -> None:
    kinds = [Kind.STATE_DIFFERS, Kind.CURRENCY_DIFFERS, Kind.CAPTURED_DIFFERS, Kind.REFUNDED_DIFFERS]
    orders = {kind: await captured(till) for kind in kinds}
    for kind, order in orders.items():
        await till.db.read(BREAK[kind], {"order": order})
    twice, strange = await captured(till), new_id()
    for reference in (twice, strange):
        await charge(till, reference)

    counted = await found(compared, *orders.values(), twice, strange)

    expected = Counter([*kinds, Kind.DUPLICATE, Kind.MISSING_HERE])
    # An amount that is changed in a payment differs from the ledger too.
    assert counted - Counter({Kind.LEDGER_DIFFERS: 2}) == expected
    assert counted[Kind.LEDGER_DIFFERS] == 2
    for order in orders.values():
        await till.db.read(MEND, {"order": order})
    assert await found(compared, *orders.values()) == Counter()


async def test_a_charge_that_the_provider_does_not_list_is_found(till: Till, compared: reconciling.Reconciling) -> None:
    order = await captured(till)
    await till.db.read(BREAK[Kind.MISSING_AT_PROVIDER], {"order": order})

    await compared.run()

    missed = [item.finding for item in await compared.listed() if item.finding.kind is Kind.MISSING_AT_PROVIDER]
    assert [finding.reference for finding in missed] == ["ch_nowhere"]
    await till.db.read(FORGET)


async def test_administrators_read_what_differs(till: Till, compared: reconciling.Reconciling) -> None:
    strange = new_id()
    await charge(till, strange)
    await compared.run()
    async with calls.served(tills.servicer(till), "payment") as shop:
        stub = payment_service_pb2_grpc.PaymentServiceStub(shop.channel)
        request = payment_service_pb2.ListFindingsRequest()
        answer = await stub.ListFindings(request, metadata=shop.as_user(new_id(), "ADMIN"))
        refused = await calls.refused(stub.ListFindings(request, metadata=shop.as_user(new_id())))

    [finding] = [each for each in answer.findings if each.order_id == strange]
    assert (finding.kind, finding.ours, finding.theirs) == (payment_service_pb2.Finding.MISSING_HERE, "", "HELD")
    assert refused.reason == "ACCESS_DENIED"


async def charge(till: Till, reference: str) -> None:
    """A charge at the provider that the shop did not make."""
    body = {"amount": 100, "currency": "USD", "payment_method": "card_approved", "reference": reference}
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    (await till.provider.post("/v1/charges", json=body, headers=headers)).raise_for_status()
