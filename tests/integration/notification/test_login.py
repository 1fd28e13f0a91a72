"""The login at a mail server changes while a process runs: its next connection has the one in the file."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from prometheus_client import REGISTRY

from services.chassis import clock
from services.chassis.settings import read
from services.notification import clients, domain, words
from services.notification.domain import Outcome, Template
from services.notification.settings import Settings
from tests.integration.notification.post_office import NoLinks

WORDS = words.Templates()
ANN = domain.Contact(str(uuid.uuid4()), "ann@example.com", "Ann", email_verified=True)


def alarms() -> float:
    found = REGISTRY.get_sample_value("souk_alarms_total", {"service": "notification", "alarm": "login_refused"})
    return found or 0.0


def welcome() -> domain.Notification:
    letter = domain.Letter(ANN.user_id, Template.WELCOME, ANN.user_id, {})
    subject = WORDS.subject(letter)
    return domain.Notification(
        str(uuid.uuid4()), ANN.user_id, Template.WELCOME, ANN.user_id, subject, {}, datetime.now(UTC)
    )


class Guarded:
    """A mail server that lets in who knows the password of the moment."""

    def __init__(self) -> None:
        self.password = "first"
        self.taken = 0
        self.address = ""

    def url(self, password: str) -> str:
        return f"smtp://shop:{password}@{self.address}"

    def conversation(self) -> SMTP:
        return SMTP(self, authenticator=self._let_in, auth_require_tls=False)

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        self.taken += 1
        return "250 OK"

    def _let_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, said: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=said.password == self.password.encode(), handled=False)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Guarded]:
    made = Guarded()
    listening = await asyncio.get_running_loop().create_server(made.conversation, "127.0.0.1", 0)
    made.address = ":".join(map(str, listening.sockets[0].getsockname()))
    yield made
    listening.close()


async def test_mail_goes_out_after_the_password_has_changed_and_a_refused_one_raises_an_alarm(
    server: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "AWAY_FIRST_S", 0.0)
    path = tmp_path / "url"
    path.write_text(server.url("first"))
    environ = {"SMTP_URL_FILE": str(path), "NOTIFICATION_SMTP_CONNECTIONS": "1"}
    mailer = clients.Mailer(read(Settings, environ, service="notification"), WORDS, NoLinks(), now=clock.utc_now)
    await mailer.start()
    assert (await mailer.send(welcome(), ANN)).outcome is Outcome.SENT
    await mailer.stop()
    before, server.password = alarms(), "second"
    assert (await mailer.send(welcome(), ANN)).outcome is Outcome.AWAY
    assert alarms() == before + 1
    path.write_text("no mail server")
    assert (await mailer.send(welcome(), ANN)).outcome is Outcome.AWAY
    path.write_text(server.url("second"))
    assert (await mailer.send(welcome(), ANN)).outcome is Outcome.SENT
    assert (server.taken, alarms()) == (2, before + 1)
    await mailer.stop()
