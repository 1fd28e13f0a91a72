"""Does a server answer as the server it should be? Each check is quick, answers yes or no, and never raises.

The clients are imported where they are used: importing all of them takes longer than most commands need.
"""

import contextlib
import logging
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
    from scripts.operate import grpc_health  # noqa: PLC0415 - see above

    host, _, port = address.rpartition(":")
    return ports.open_at(host, int(port)) and grpc_health.serving(address, timeout_s=TIMEOUT_S)


def postgres(url: str) -> bool:
    """The database accepts this role and answers a query."""
    import psycopg  # noqa: PLC0415 - see above

    with contextlib.suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
    return False


def redis_at(url: str) -> bool:
    """PING is answered (with the password of the URL)."""
    import redis  # noqa: PLC0415 - see above

    client = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
    with contextlib.suppress(redis.RedisError), client:
        return bool(client.ping())
    return False


def kafka(bootstrap: str, *, cluster: str | None = None) -> bool:
    """The broker describes its cluster, which is the one called `cluster` when that is given."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    if not ports.open_at(host, int(port)):
        return False
    from kafka import KafkaAdminClient  # noqa: PLC0415 - see above
    from kafka.errors import KafkaError  # noqa: PLC0415 - see above

    # A broker that is starting drops connections; the client would report each of them at length.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    with contextlib.suppress(KafkaError, OSError):
        client = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=2000, request_timeout_ms=2000)
        try:
            described = client.describe_cluster()
        finally:
            client.close()
        return bool(described["brokers"]) and cluster in (None, described["cluster_id"])
    return False
