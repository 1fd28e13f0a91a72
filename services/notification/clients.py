"""Letters and the mail server: texts become messages as RFC 5322 wants them, and a few open connections carry them.

Messages are put together by hand: the standard library's message classes cost more than everything else here together. Nothing
that comes from outside reaches a header unchecked: an address must look like one, a subject is one line or encoded.
"""

import asyncio
import base64
import logging
import re
import time
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import jinja2

from services.chassis import clock, errors, loops
from services.notification import domain, words
from services.notification.domain import Outcome, Result
from services.notification.settings import Settings

_LOG = logging.getLogger(__name__)

# One address as SMTP takes it without extensions: printable ASCII without what RFC 5322 uses to write addresses down.
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]{1,64}@[0-9A-Za-z][0-9A-Za-z.-]{0,252}")
_SMTP_PORTS = {"smtp": 25, "smtps": 465}
# Back-off after a failed connection, in seconds: at first and at most, doubled each time, with jitter.
AWAY_FIRST_S = 0.5
AWAY_MOST_S = 15.0
# A server may keep a line of text no longer than this, in bytes (RFC 5321); longer ones are sent encoded.
MOST_LINE = 990
OK = 250
TAKEN = frozenset({250, 251})


class Links(Protocol):
    """Who knows where the readers of mail unsubscribe."""

    async def link(self, notification: domain.Notification) -> str:
        """Where the reader of this mail does; empty where there is nothing to. Raises TransientError."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is around a mail: `sender` and `to` are checked addresses, `date` as RFC 5322 writes it.

    unsubscribe is where its reader unsubscribes by one click (RFC 8058); empty when it cannot be. The mail server signs the
    headers (DKIM): with a key that is its own, and these two among what it signs.
    """

    sender: str
    to: str
    date: str
    unsubscribe: str = ""


def compose(notification: domain.Notification, mail: words.Mail, around: Envelope) -> bytes:
    """A message as it goes to the mail server."""
    sender = around.sender
    domain_name = sender.rpartition("@")[2]
    # No line of a part begins with it: the id was made when the message was.
    boundary = f"=_{notification.id}"
    head = (
        f"From: Souk <{sender}>\r\nTo: <{around.to}>\r\nSubject: {_header(notification.subject)}\r\nDate: {around.date}\r\n"
        f"Message-ID: <{notification.id}@{domain_name}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
        f"{_one_click(around.unsubscribe)}"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    )
    # A mail program shows the last part that it can.
    text = _part("plain", mail.text.encode())
    html = _part("html", mail.html.encode("ascii", "xmlcharrefreplace"))
    edge = f"--{boundary}\r\n".encode("ascii")
    return b"".join((head.encode("ascii"), edge, text, b"\r\n", edge, html, f"\r\n--{boundary}--\r\n".encode("ascii")))


def _one_click(url: str) -> str:
    if not url:
        return ""
    return f"List-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _part(kind: str, text: bytes) -> bytes:
    plain = text.isascii() and all(len(line) < MOST_LINE for line in text.split(b"\n"))
    encoding = "7bit" if plain else "base64"
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + (text if plain else base64.encodebytes(text))


def is_address(text: str) -> bool:
    """Whether this can be written into a header and an envelope as it is."""
    return bool(_ADDRESS.fullmatch(text))


class Mailer:
    """The mail server, over a few connections that stay open. A part of the process."""

    def __init__(self, settings: Settings, templates: words.Templates, links: Links, *, now: clock.Clock) -> None:
        self._settings = settings
        self._links = links
        self._templates = templates
        self._now = now
        self._connections: list[aiosmtplib.SMTP] = []
        # The connection that was used last is used next: in quiet times one is enough, and the others may close.
        self._free: asyncio.LifoQueue[aiosmtplib.SMTP] = asyncio.LifoQueue()
        self._failures = 0
        self._away_until = 0.0

    async def start(self) -> None:
        """Get ready to send; nothing is connected yet. Raises ValueError for a sender or a SMTP_URL that is none."""
        if not is_address(self._settings.sender):
            raise ValueError(f"NOTIFICATION_SENDER is not an address: {self._settings.sender!r}")
        _server(self._settings.smtp_url.current())
        # Time-outs are set around whole conversations: one per command would cost more than the command.
        made = (aiosmtplib.SMTP(local_hostname="souk", timeout=None) for _ in range(self._settings.connections))
        self._connections = list(made)
        for connection in self._connections:
            self._free.put_nowait(connection)

    async def stop(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()

    def room(self, most: int) -> int:
        """How many of `most` messages may be sent now: none during the back-off after a failed connection, then one."""
        if not self._failures:
            return most
        return int(time.monotonic() >= self._away_until)

    async def send(self, notification: domain.Notification, contact: domain.Contact) -> Result:
        """Hand a message to the mail server, with its id as Message-ID. Raises nothing."""
        if not is_address(contact.email):
            return Result(Outcome.REFUSED, "ADDRESS_INVALID")
        try:
            link = await self._links.link(notification)
            mail = self._templates.mail(notification, contact, unsubscribe=link)
        except errors.TransientError:
            return Result(Outcome.AWAY, "NO_DATABASE")
        except jinja2.TemplateError:
            # A defect of ours: a release may mend it while the message is tried again.
            _LOG.exception("template failed", extra={"notification_id": notification.id})
            return Result(Outcome.DEFERRED, "TEMPLATE_BROKEN")
        date = format_datetime(self._now())
        content = compose(notification, mail, Envelope(self._settings.sender, contact.email, date, link))
        try:
            async with asyncio.timeout(self._settings.wait_s):
                connection = await self._free.get()
        except TimeoutError:
            return Result(Outcome.AWAY, "NO_CONNECTION_FREE")
        try:
            return await self._send(connection, contact.email, content)
        finally:
            self._free.put_nowait(connection)

    async def _send(self, connection: aiosmtplib.SMTP, to: str, content: bytes) -> Result:
        if not connection.is_connected and not await self._connected(connection):
            return Result(Outcome.AWAY, "NO_CONNECTION")
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await _exchange(connection, self._settings.sender, to, content)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            # Where the conversation stands is not known any more: the next message begins a new one.
            connection.close()
            _LOG.warning("mail server fell silent", extra={"cause": repr(error)})
            return Result(Outcome.DEFERRED, "NO_ANSWER")

    async def _connected(self, connection: aiosmtplib.SMTP) -> bool:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                # Where the server is, and the login there, may have changed since the last time.
                await connection.connect(**_server(self._settings.smtp_url.current()))
                if connection.is_ehlo_or_helo_needed:
                    await connection.ehlo()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            connection.close()
            if isinstance(error, aiosmtplib.SMTPAuthenticationError):
                self._settings.smtp_url.refused(repr(error))
            self._failures += 1
            self._away_until = time.monotonic() + loops.backoff(self._failures, first=AWAY_FIRST_S, most=AWAY_MOST_S)
            _LOG.warning("mail server is away", extra={"failures": self._failures, "cause": repr(error)})
            return False
        self._failures = 0
        return True


async def _exchange(connection: aiosmtplib.SMTP, sender: str, to: str, content: bytes) -> Result:
    """One message over an open connection. Raises SMTPException, OSError or TimeoutError when there is no clear answer."""
    # The library's own `mail` and `rcpt` parse each address again, which costs as much as sending it: ours are checked.
    answer = await connection.execute_command(b"MAIL", f"FROM:<{sender}>".encode("ascii"))
    if answer.code != OK:
        # It says nothing about this message: the server is going away, or does not want us at all.
        connection.close()
        return Result(Outcome.AWAY, f"{answer.code}")
    answer = await connection.execute_command(b"RCPT", f"TO:<{to}>".encode("ascii"))
    if answer.code in TAKEN:
        try:
            await connection.data(content)
        except aiosmtplib.SMTPDataError as refusal:
            answer = aiosmtplib.SMTPResponse(refusal.code, refusal.message)
        else:
            return Result(Outcome.SENT)
    await connection.rset()
    outcome = Outcome.REFUSED if 500 <= answer.code < 600 else Outcome.DEFERRED
    return Result(outcome, words.one_line(f"{answer.code} {answer.message}")[:200])


def _server(url: str) -> dict[str, Any]:
    """Where the mail server is, and the login there, as the library takes them. Raises ValueError for what is no such URL."""
    parts = urlsplit(url)
    if parts.scheme not in _SMTP_PORTS or not parts.hostname:
        raise ValueError("SMTP_URL begins with smtp:// or smtps:// and names a host")
    return {
        "hostname": parts.hostname,
        "port": parts.port or _SMTP_PORTS[parts.scheme],
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "use_tls": parts.scheme == "smtps",
    }


def _header(text: str) -> str:
    """A text as a header may hold it: as it is, or encoded (RFC 2047) when it is more than one line of ASCII."""
    if text.isascii() and text.isprintable() and len(text) < MOST_LINE:
        return text
    return Header(text, "utf-8").encode(linesep="\r\n")
