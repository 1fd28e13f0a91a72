"""Does a server of a common protocol answer? Each check is quick, answers yes or no, and never raises."""

import contextlib
import smtplib
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from scripts.stack.supervise import ports

TIMEOUT_S = 2.0


def http(url: str) -> bool:
    """GET answers 200."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port or 80, timeout=TIMEOUT_S)
    with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
        connection.request("GET", address.path or "/")
        return connection.getresponse().status == 200
    return False


def smtp(url: str) -> bool:
    """An SMTP server greets and accepts a NOOP."""
    address = urlsplit(url)
    with (
        contextlib.suppress(OSError, smtplib.SMTPException),
        smtplib.SMTP(address.hostname or "", address.port or 25, timeout=TIMEOUT_S) as session,
    ):
        return session.noop()[0] == 250
    return False


def service(address: str) -> bool:
    """The standard gRPC health service says SERVING."""
    from scripts.operate import grpc_health  # noqa: PLC0415 - importing gRPC takes longer than most commands need

    host, _, port = address.rpartition(":")
    return ports.open_at(host, int(port)) and grpc_health.serving(address, timeout_s=TIMEOUT_S)
