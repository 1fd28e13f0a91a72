"""Stripe's key changes while a process runs: each call has the one in the file."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio
from aiohttp import web
from prometheus_client import REGISTRY

from services.chassis import settings
from services.chassis.money import Money
from services.payment import clients, domain
from services.payment.domain import Input, Silence, State
from services.payment.settings import Settings

REFERENCE = "pi_123"


def alarms() -> float:
    return REGISTRY.get_sample_value("souk_alarms_total", {"service": "payment", "alarm": "login_refused"}) or 0.0


def payment() -> domain.Payment:
    now = datetime.now(UTC)
    return domain.Payment(
        id=str(uuid.uuid4()),
        order_id=str(uuid.uuid4()),
        user_id=str(uuid.uuid4()),
        state=State.AUTHORIZING,
        amount=Money("USD", 4200),
        payment_method="pm_card_visa",
        create_time=now,
        update_time=now,
        provider_reference="",
    )


@dataclass
class Account:
    """A Stripe that knows one key."""

    url: str = ""
    key: str = "sk_test_old"
    shown: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.shown.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.shown[-1] != self.key:
            error = {"type": "invalid_request_error", "code": "api_key_expired", "message": "Expired API Key"}
            return web.json_response({"error": error}, status=401)
        return web.json_response({"id": REFERENCE, "object": "payment_intent", "status": "requires_capture"})


@pytest_asyncio.fixture
async def account() -> AsyncIterator[Account]:
    made = Account()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


async def test_each_call_has_the_key_of_the_moment_and_one_that_is_refused_raises_an_alarm(
    account: Account, tmp_path: Path
) -> None:
    path, before = tmp_path / "key", alarms()
    path.write_text("sk_test_old")
    environ = {"PAYMENT_PROVIDER": "stripe", "STRIPE_API_KEY_FILE": str(path), "STRIPE_API_BASE": account.url}
    provider = clients.Provider(settings.read(Settings, environ, service="payment"))
    await provider.start()
    yes = domain.Answer(Input.YES, reference=REFERENCE)
    assert await provider.call(payment(), repeated=False) == yes
    account.key = "sk_test_new"
    assert await provider.call(payment(), repeated=False) == Silence.UNKNOWN
    assert alarms() == before + 1
    path.write_text("sk_test_new")
    assert await provider.call(payment(), repeated=False) == yes
    assert account.shown == ["sk_test_old", "sk_test_old", "sk_test_new"]
    assert alarms() == before + 1
    await provider.stop()
