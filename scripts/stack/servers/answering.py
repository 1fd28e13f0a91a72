"""Does a database, a cache or a broker answer as the one it should be? Each check is quick, and never raises.

The clients are imported where they are used: importing all of them takes longer than most commands need.
"""

import contextlib
import logging

from scripts.stack.supervise import ports
from scripts.stack.supervise.health import TIMEOUT_S


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
