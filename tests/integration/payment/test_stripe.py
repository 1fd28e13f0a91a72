"""The Stripe adapter: its requests by Stripe's own mock, and each kind of answer by a server that gives it."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from services.chassis import settings
from services.chassis.money import Money
from services.payment import clients, domain
from services.payment.domain import Input, Silence, State
from services.payment.settings import Settings
from tests.support import stripe_mock

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
REFERENCE = "pi_123"
UNKNOWN = Silence.UNKNOWN
DAY_S = 24 * 3600.0


@pytest.fixture(scope="module")
def mock_url() -> Iterator[str]:
    with stripe_mock.running() as url:
        yield url


def payment(state: State = State.AUTHORIZING, **changes: Any) -> domain.Payment:
    made = domain.Payment(
        id=str(uuid.uuid4()),
        order_id=str(uuid.uuid4()),
        user_id=str(uuid.uuid4()),
        state=state,
        amount=Money("USD", 4200),
        payment_method="pm_card_visa",
        create_time=NOW,
        update_time=NOW,
        provider_reference=REFERENCE if state is not State.AUTHORIZING else "",
    )
    return replace(made, **changes)


def captured(state: State, **changes: Any) -> domain.Payment:
    return payment(state, captured=4200, **changes)


@asynccontextmanager
async def adapter(url: str, *, timeout_s: float = 10) -> AsyncIterator[clients.Provider]:
    environ = {"PAYMENT_PROVIDER": "stripe", "STRIPE_API_KEY": "sk_test_123", "STRIPE_API_BASE": url}
    chosen = settings.read(Settings, environ | {"PAYMENT_PROVIDER_TIMEOUT_S": str(timeout_s)})
    provider = clients.Provider(chosen)
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()


@dataclass
class Asked:
    """What the server was sent."""

    method: str
    path: str
    key: str | None
    form: dict[str, list[str]]


@dataclass
class Stripe:
    """A server that gives the answers it was told to, in order, and keeps what it was asked."""

    url: str = ""
    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        self.asked.append(Asked(request.method, request.path, request.headers.get("Idempotency-Key"), form))
        status, body = self.answers.pop(0)
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")


@asynccontextmanager
async def answering(*answers: tuple[int, Any]) -> AsyncIterator[tuple[Stripe, clients.Provider]]:
    told = Stripe(answers=list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", told.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with adapter(f"http://{host}:{port}") as provider:
        yield told, provider
    await runner.cleanup()


def intent(status: str, **more: Any) -> tuple[int, Any]:
    return 200, {"id": REFERENCE, "object": "payment_intent", "status": status} | more


def asking(action: dict[str, Any] | None = None) -> tuple[int, Any]:
    """An intent whose customer has to confirm, as https://docs.stripe.com/api/payment_intents/object documents it."""
    return intent("requires_action", next_action=action or {"type": "use_stripe_sdk"}, client_secret="pi_123_secret_1")


def results(*found: tuple[int, Any]) -> tuple[int, Any]:
    data = [body for _, body in found]
    return 200, {"object": "search_result", "url": "/v1/payment_intents/search", "has_more": False, "data": data}


def refunds(*found: tuple[int, Any]) -> tuple[int, Any]:
    data = [body for _, body in found]
    return 200, {"object": "list", "url": "/v1/refunds", "has_more": False, "data": data}


def refund(status: str, **more: Any) -> tuple[int, Any]:
    """A refund with the fields that https://docs.stripe.com/api/refunds/object documents."""
    documented = {
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ",
        "object": "refund",
        "amount": 1200,
        "balance_transaction": "txn_1Nispe2eZvKYlo2CYezqFhEx",
        "charge": "ch_1NirD82eZvKYlo2CIvbtLWuY",
        "created": 1692942318,
        "currency": "usd",
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": REFERENCE,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    return 200, documented | more


def of_this_call(status: str, wanted: domain.Payment, **more: Any) -> tuple[int, Any]:
    """The refund that an earlier attempt at this call made."""
    return refund(status, metadata={"call": f"{wanted.id}:{wanted.call}"}, **more)


def error(status: int, kind: str, code: str, **more: str) -> tuple[int, Any]:
    return status, {"error": {"type": kind, "code": code, "message": "no", **more}}


def _answer(expected: domain.Answer | Silence | str) -> domain.Answer | Silence:
    """A bare text is the reason of a no."""
    if isinstance(expected, domain.Answer | Silence):
        return expected
    return domain.Answer(Input.NO, reason=expected)


STATE_WRONG = error(400, "invalid_request_error", "payment_intent_unexpected_state")
AWAY = (500, {"error": {"type": "api_error", "message": "away"}})
DECLINED = error(402, "card_error", "card_declined", decline_code="insufficient_funds")
CAPTURING, VOIDING = payment(State.CAPTURING), payment(State.VOIDING)
CONFIRMED = payment(State.AUTHORIZING_CONFIRMED, provider_reference="")
YES = domain.Answer(Input.YES, reference=REFERENCE)
CONFIRMING = payment(State.ACTION_REQUIRED)
PAGE = domain.Answer(
    Input.ACTION_REQUIRED, REFERENCE, action=domain.Action("https://hooks.stripe.com/3d", "pi_123_secret_1")
)
SCRIPT = domain.Answer(Input.ACTION_REQUIRED, REFERENCE, action=domain.Action(secret="pi_123_secret_1"))
UNCONFIRMED = {"code": "payment_intent_authentication_failure"}
REFUNDING = captured(State.REFUNDING_PART, refunding=1200, refund_id="r1")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        # The mock remembers nothing: whatever happened before, its intents wait for a payment method.
        (payment(), domain.Answer(Input.NO, reason="REQUIRES_PAYMENT_METHOD")),
        (CAPTURING, UNKNOWN),
        (VOIDING, UNKNOWN),
        (REFUNDING, YES),
    ],
    ids=lambda value: str(getattr(value, "state", "")),
)
async def test_stripes_own_specification_accepts_what_is_asked(
    mock_url: str, wanted: domain.Payment, expected: domain.Answer | Silence
) -> None:
    async with adapter(mock_url) as provider:
        assert await provider.call(wanted, repeated=False) == expected
        # What it does not accept is a definite no, with its own reason.
        repeated = await provider.call(wanted, repeated=True)
        assert repeated == expected


@pytest.mark.parametrize(
    ("wanted", "answers", "expected"),
    [
        (payment(), [intent("requires_capture")], YES),
        (payment(), [asking({"redirect_to_url": {"url": "https://hooks.stripe.com/3d"}})], PAGE),
        (payment(), [asking({"type": "use_stripe_sdk"})], SCRIPT),
        (CONFIRMING, [asking()], Silence.WAITING),
        (CONFIRMING, [intent("requires_capture")], YES),
        (CONFIRMING, [intent("requires_payment_method", last_payment_error=UNCONFIRMED)], UNCONFIRMED["code"].upper()),
        (CONFIRMING, [intent("canceled")], "CANCELED"),
        (CONFIRMING, [intent("processing")], UNKNOWN),
        (CONFIRMING, [AWAY], UNKNOWN),
        (payment(), [DECLINED], domain.Answer(Input.NO, reason="INSUFFICIENT_FUNDS")),
        (payment(), [error(400, "invalid_request_error", "resource_missing")], "RESOURCE_MISSING"),
        (payment(), [intent("processing")], UNKNOWN),
        (payment(), [AWAY], UNKNOWN),
        (payment(), [error(429, "invalid_request_error", "rate_limit")], UNKNOWN),
        (payment(), [error(401, "invalid_request_error", "api_key_expired")], UNKNOWN),
        (payment(), [error(409, "idempotency_error", "idempotency_key_in_use")], UNKNOWN),
        (payment(), [(200, "no object")], UNKNOWN),
        (CAPTURING, [intent("succeeded")], YES),
        (CAPTURING, [STATE_WRONG, intent("succeeded")], YES),
        (CAPTURING, [STATE_WRONG, intent("canceled")], "PAYMENT_INTENT_UNEXPECTED_STATE"),
        (CAPTURING, [STATE_WRONG, AWAY], UNKNOWN),
        (payment(), [error(400, "idempotency_error", ""), results(intent("succeeded"))], YES),
        (payment(), [error(400, "idempotency_error", ""), results()], UNKNOWN),
        (CONFIRMED, [results(intent("succeeded"))], YES),
        (CONFIRMED, [results(), intent("requires_capture")], YES),
        (VOIDING, [intent("canceled")], YES),
        (VOIDING, [STATE_WRONG, intent("succeeded")], domain.Answer(Input.TAKEN)),
        (REFUNDING, [refund("succeeded")], YES),
        (REFUNDING, [refund("pending")], UNKNOWN),
        (REFUNDING, [refund("requires_action")], UNKNOWN),
        (CAPTURING, [intent("processing")], UNKNOWN),
        (CAPTURING, [STATE_WRONG, intent("processing")], UNKNOWN),
        (VOIDING, [STATE_WRONG, intent("processing")], UNKNOWN),
        (REFUNDING, [refund("canceled")], "REFUSED"),
        (REFUNDING, [refund("failed", failure_reason="declined")], "DECLINED"),
        (REFUNDING, [AWAY], UNKNOWN),
    ],
)
async def test_an_answer_is_a_yes_a_no_or_unknown(
    wanted: domain.Payment, answers: list[tuple[int, Any]], expected: domain.Answer | Silence | str
) -> None:
    async with answering(*answers) as (told, provider):
        answer = await provider.call(wanted, repeated=False)
    assert answer == _answer(expected)
    assert not told.answers


async def test_a_repeated_call_finds_out_what_happened_and_does_it_only_when_it_did_not() -> None:
    for wanted, happened in ((CAPTURING, intent("succeeded")), (REFUNDING, refunds(refund("succeeded", amount=1200)))):
        async with answering(happened) as (told, provider):
            assert await provider.call(wanted, repeated=True) == YES
        assert [asked.method for asked in told.asked] == ["GET"]
    async with answering(refunds(refund("succeeded", amount=1199)), refund("succeeded")) as (told, provider):
        assert await provider.call(REFUNDING, repeated=True) == YES
    assert [(asked.method, asked.path) for asked in told.asked] == [
        ("GET", "/v1/refunds"),
        ("POST", "/v1/refunds"),
    ]


@pytest.mark.parametrize("status", ["pending", "requires_action"])
async def test_a_refund_that_is_under_way_is_asked_about_and_neither_given_back_nor_sent_again(status: str) -> None:
    async with answering(refunds(refund(status, amount=1200))) as (told, provider):
        assert await provider.call(REFUNDING, repeated=True) == UNKNOWN
    assert [asked.method for asked in told.asked] == ["GET"]


FAILED = {"failure_reason": "lost_or_stolen_card", "failure_balance_transaction": "txn_3MmlLrLkdIwHu7ix0uke3Ezy"}
# Stripe's own example of a refund that was canceled while it required an action.
CANCELED = {"failure_reason": "merchant_request", "failure_balance_transaction": "txn_3MmlLrLkdIwHu7ix0uke3Ezy"}


@pytest.mark.parametrize(
    ("status", "more", "reason"),
    [
        ("failed", FAILED, "LOST_OR_STOLEN_CARD"),
        ("canceled", CANCELED, "MERCHANT_REQUEST"),
        ("failed", {"failure_reason": None}, "REFUSED"),
    ],
)
async def test_a_refund_that_failed_while_it_was_under_way_is_a_definite_no(
    status: str, more: dict[str, Any], reason: str
) -> None:
    """Sent again under its key, Stripe would repeat its first answer: "pending", for a day."""
    for age_s in (60, DAY_S):
        async with answering(refunds(of_this_call(status, REFUNDING, **more))) as (told, provider):
            answer = await provider.call(REFUNDING, repeated=True, age_s=age_s)
        assert answer == domain.Answer(Input.NO, reason=reason)
        assert [asked.method for asked in told.asked] == ["GET"]


async def test_an_earlier_refund_that_failed_says_nothing_of_this_one() -> None:
    earlier = replace(REFUNDING, refund_id="r0")
    async with answering(refunds(of_this_call("failed", earlier, **FAILED)), refund("succeeded")) as (told, provider):
        assert await provider.call(REFUNDING, repeated=True) == YES
    sent = told.asked[-1]
    assert (sent.method, sent.key) == ("POST", f"{REFUNDING.id}:refund:r1")
    assert sent.form["metadata[call]"] == [sent.key]


async def test_what_was_given_back_by_hand_after_a_failed_refund_counts() -> None:
    by_hand = refund("succeeded", id="re_by_hand")
    async with answering(refunds(by_hand, of_this_call("failed", REFUNDING, **FAILED))) as (_, provider):
        assert await provider.call(REFUNDING, repeated=True) == YES


@pytest.mark.parametrize("status", ["pending", "requires_action"])
async def test_a_refund_under_way_is_this_calls_own_whatever_earlier_ones_became(status: str) -> None:
    """The earlier refund succeeded, was counted, and failed after that: sums alone would miss the one under way."""
    wanted = replace(REFUNDING, refunded=500)
    listed = refunds(of_this_call(status, wanted), refund("failed", amount=500, **FAILED))
    async with answering(listed) as (told, provider):
        assert await provider.call(wanted, repeated=True) == UNKNOWN
    assert [asked.method for asked in told.asked] == ["GET"]


async def test_many_refunds_that_are_under_way_do_not_open_the_breaker() -> None:
    async with answering(*[refund("pending")] * 20, refund("succeeded")) as (_, provider):
        answers = [await provider.call(REFUNDING, repeated=False) for _ in range(21)]
    assert answers == [UNKNOWN] * 20 + [YES]


async def test_every_attempt_carries_the_payments_own_key() -> None:
    wanted = payment()
    async with answering(AWAY, intent("requires_capture")) as (told, provider):
        await provider.call(wanted, repeated=False)
        await provider.call(wanted, repeated=True)
    assert [asked.key for asked in told.asked] == [f"{wanted.id}:authorize"] * 2
    form = told.asked[0].form
    assert "error_on_requires_action" not in form
    assert (form["amount"], form["currency"], form["capture_method"]) == (["4200"], ["usd"], ["manual"])
    assert form["metadata[order_id]"] == [wanted.order_id]


@pytest.mark.parametrize(
    ("wanted", "age_s", "answer", "expected"),
    [
        (payment(), DAY_S, results(intent("requires_capture")), YES),
        (payment(), DAY_S, results(intent("requires_payment_method")), "REQUIRES_PAYMENT_METHOD"),
        (payment(), DAY_S, results(intent("processing")), UNKNOWN),
        (payment(), DAY_S, results(), UNKNOWN),
        (payment(), 2 * DAY_S, results(), clients.NEVER_ARRIVED),
        (payment(), DAY_S, results(intent("succeeded")), YES),
        (replace(CONFIRMED, payment_method=""), 60, results(), UNKNOWN),
        (payment(), 2 * DAY_S, AWAY, UNKNOWN),
        (CAPTURING, DAY_S, intent("succeeded"), YES),
        (CAPTURING, DAY_S, intent("requires_capture"), Silence.TOO_OLD),
        (REFUNDING, DAY_S, refunds(refund("succeeded", amount=1200)), YES),
        (REFUNDING, DAY_S, refunds(), Silence.TOO_OLD),
    ],
)
async def test_what_is_too_old_to_be_repeated_is_only_looked_for(
    wanted: domain.Payment, age_s: float, answer: tuple[int, Any], expected: domain.Answer | Silence | str
) -> None:
    async with answering(answer) as (told, provider):
        assert await provider.call(wanted, repeated=True, age_s=age_s) == _answer(expected)
    assert [asked.method for asked in told.asked] == ["GET"]


async def test_a_void_is_repeated_however_old_it_is() -> None:
    async with answering(intent("requires_capture"), intent("canceled")) as (told, provider):
        answer = await provider.call(VOIDING, repeated=True, age_s=DAY_S)
    assert answer == YES
    assert [asked.method for asked in told.asked] == ["GET", "POST"]


async def test_stripes_own_specification_accepts_how_a_payment_is_searched_for(mock_url: str) -> None:
    async with adapter(mock_url) as provider:
        # The mock finds some intent, whatever is searched for.
        found = await provider.call(payment(), repeated=True, age_s=DAY_S)
    assert found == domain.Answer(Input.NO, reason="REQUIRES_PAYMENT_METHOD")


async def test_amounts_are_counted_as_stripe_counts_them() -> None:
    async with answering(*[intent("requires_capture")] * 3) as (told, provider):
        for currency in ("ISK", "UGX", "JPY"):
            await provider.call(payment(amount=Money(currency, 700)), repeated=False)
    assert [asked.form["amount"] for asked in told.asked] == [["70000"], ["70000"], ["700"]]


async def test_an_amount_that_stripe_cannot_charge_exactly_is_declined_before_it_is_asked() -> None:
    wanted = Money("KWD", 5124)
    part = captured(State.REFUNDING_PART, amount=Money("KWD", 5120), refunding=1234, refund_id="r1")
    for asking in (payment(amount=wanted), part):
        async with answering() as (told, provider):
            answer = await provider.call(asking, repeated=False)
        assert answer == domain.Answer(Input.NO, reason="AMOUNT_NOT_SUPPORTED")
        assert not told.asked
    async with answering(intent("requires_capture")) as (told, provider):
        assert await provider.call(payment(amount=Money("KWD", 5120)), repeated=False) == YES
    assert told.asked[0].form["amount"] == ["5120"]


def test_a_provider_that_cannot_be_reached_with_what_is_set_is_refused() -> None:
    for environ, missing in (({}, "PAYMENT_PROVIDER_URL"), ({"PAYMENT_PROVIDER": "stripe"}, "STRIPE_API_KEY")):
        with pytest.raises(settings.SettingsError, match=missing):
            settings.read(Settings, environ)
