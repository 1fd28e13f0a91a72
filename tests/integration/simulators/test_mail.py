"""The mail server, as a sender sees it, and as a test finds what was sent."""

import asyncio
import signal
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from scripts.simulators import mailbox
from tests.integration.simulators.conftest import Simulator


def confirmation(to: str, text: str = "It is on its way.\n") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "shop@souk.test"
    message["To"] = to
    message["Subject"] = "Your order is confirmed"
    message["Message-ID"] = f"<{to}>"
    message.set_content(text)
    return message


def sender(server: Simulator) -> aiosmtplib.SMTP:
    host, port = server.address.split(":")
    return aiosmtplib.SMTP(hostname=host, port=int(port), timeout=10)


async def test_many_mails_over_one_connection_are_all_found(mail_server: Simulator, tmp_path: Path) -> None:
    async with sender(mail_server) as smtp:
        for number in range(300):
            await smtp.send_message(confirmation(f"customer-{number}@example.com"))
    assert len(mailbox.read_index(tmp_path)) == 300
    [mail] = mailbox.read_index(tmp_path, to="customer-7@example.com")
    assert (mail.subject, mail.message_id) == ("Your order is confirmed", "<customer-7@example.com>")
    message = mailbox.read_message(tmp_path, mail)
    assert (message["X-Envelope-From"], message["X-Envelope-To"]) == ("shop@souk.test", "customer-7@example.com")
    assert message.get_content() == "It is on its way.\n"


async def test_lines_that_look_like_protocol_arrive_unchanged(mail_server: Simulator, tmp_path: Path) -> None:
    text = "From me\n.\n..\n>From you\nQUIT\n"
    async with sender(mail_server) as smtp:
        await smtp.send_message(confirmation("ann@example.com", text))
    [mail] = mailbox.read_index(tmp_path)
    assert mailbox.read_message(tmp_path, mail).get_content() == text


async def test_a_bouncing_address_is_refused_for_good(mail_server: Simulator, tmp_path: Path) -> None:
    async with sender(mail_server) as smtp:
        for _ in range(2):
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refusal:
                await smtp.send_message(confirmation("bounce-1@example.com"))
            assert refusal.value.recipients[0].code == 550
    assert mailbox.read_index(tmp_path) == []


async def test_a_deferring_address_takes_the_second_try(mail_server: Simulator, tmp_path: Path) -> None:
    async with sender(mail_server) as smtp:
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refusal:
            await smtp.send_message(confirmation("defer-1@example.com"))
        assert refusal.value.recipients[0].code == 451
        await smtp.send_message(confirmation("defer-1@example.com"))
    assert len(mailbox.read_index(tmp_path, to="defer-1@example.com")) == 1


async def test_what_was_taken_survives_a_kill(mail_server: Simulator, tmp_path: Path) -> None:
    for number in range(2):
        smtp = sender(mail_server)
        await smtp.connect()
        await smtp.send_message(confirmation(f"customer-{number}@example.com"))
        await mail_server.end(signal.SIGKILL)
        smtp.close()
        await mail_server.start()
    kept = mailbox.read_index(tmp_path)
    assert [mailbox.read_message(tmp_path, mail)["To"] for mail in kept] == [
        "customer-0@example.com",
        "customer-1@example.com",
    ]


async def test_sigterm_ends_it_while_a_sender_is_connected(mail_server: Simulator) -> None:
    smtp = sender(mail_server)
    await smtp.connect()
    assert await asyncio.wait_for(mail_server.end(), 5) == 0
    smtp.close()
