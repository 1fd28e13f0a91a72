"""A mail server to test against: it takes every message and keeps it; nothing leaves the machine.

    python -m scripts.simulators.mail --listen HOST:PORT --store DIR

`mailbox` says how messages are kept and found. An address decides when delivery is to fail, whatever its domain:

    bounce...@    refused for good, with 550
    defer...@     refused for now, with 451, the first time the address is tried since the server started

SIGTERM and SIGINT end it; what it answered 250 to is kept, whatever ends it.
"""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from scripts.simulators import listening
from scripts.simulators.mailbox import MailStore, StoreInUse

HOSTNAME = "mail.souk.test"
ACCEPTED = "250 2.0.0 Kept"
BOUNCED = "550 5.1.1 No such mailbox"
DEFERRED = "451 4.2.1 Mailbox busy, try again later"
NOT_KEPT = "452 4.3.1 The store is full"


class Sink:
    """What the SMTP server asks about each recipient and each message."""

    def __init__(self, store: MailStore) -> None:
        self._store = store
        self._deferred: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names and calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the recipient, or refuse it as its address says."""
        if address.startswith("bounce"):
            return BOUNCED
        if address.startswith("defer") and address not in self._deferred:
            self._deferred.add(address)
            return DEFERRED
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        """Keep the message before saying so."""
        try:
            self._store.keep(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        except OSError:
            return NOT_KEPT
        return ACCEPTED


async def _serve(address: listening.Address, store: MailStore) -> None:
    loop = asyncio.get_running_loop()
    sink = Sink(store)
    server = await loop.create_server(
        lambda: SMTP(sink, hostname=HOSTNAME, ident="Souk mail", enable_SMTPUTF8=True, loop=loop),
        address.host,
        address.port,
    )
    host, port = server.sockets[0].getsockname()[:2]
    print(f"mail server on smtp://{host}:{port}", flush=True)
    await listening.until_told_to_stop()
    server.close()


def main() -> int:
    """Serve. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.simulators.mail", description=__doc__)
    parser.add_argument("--listen", required=True, type=listening.parse_address, metavar="HOST:PORT")
    parser.add_argument("--store", required=True, type=Path, metavar="DIR")
    arguments = parser.parse_args()
    # It logs every command of every conversation at INFO, which costs more than keeping the mail.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    try:
        store = MailStore.open(arguments.store)
        uvloop.run(_serve(arguments.listen, store))
    except StoreInUse as taken:
        listening.give_up(f"mail server: another process writes {taken}: stop it or choose another --store")
    except OSError as refused:
        listening.give_up(f"mail server: can't listen on {arguments.listen} or write {arguments.store}: {refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
