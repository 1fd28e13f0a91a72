"""What a cloud's addresses say about TLS reaches the clients: nothing of it is dropped or rewritten on the way."""

import psycopg.conninfo
import pytest
import sqlalchemy
from redis.asyncio.connection import SSLConnection

from services.chassis import cache, database, redis_connection
from services.chassis.clock import utc_now
from services.chassis.outbox import outbox

POSTGRES = "postgresql://souk_order:pw@db.example:5432/souk_order?sslmode=verify-full&sslrootcert=/trust/rds.pem"
REDIS = "rediss://:pw@cache.example:6379/0?ssl_ca_certs=/trust/redis.pem"


async def test_a_database_is_asked_for_the_certificate_that_its_url_demands() -> None:
    db = database.Database(POSTGRES, outbox.Outbox({}, utc_now, lambda: None))
    told = psycopg.conninfo.conninfo_to_dict(await db._pool._resolve_conninfo())
    assert (told["sslmode"], told["sslrootcert"]) == ("verify-full", "/trust/rds.pem")


def test_migrations_connect_in_the_same_way() -> None:
    url = sqlalchemy.make_url(POSTGRES).set(drivername="postgresql+psycopg")
    _, told = url.get_dialect()().create_connect_args(url)
    assert (told["sslmode"], told["sslrootcert"]) == ("verify-full", "/trust/rds.pem")


def test_a_cache_speaks_tls_with_a_password() -> None:
    pool = cache.Shared(REDIS, cache.Seal(b"a secret of the tests"))._redis.connection_pool
    assert pool.connection_class is SSLConnection
    assert pool.connection_kwargs["ssl_ca_certs"] == "/trust/redis.pem"
    assert pool.connection_kwargs["credential_provider"].get_credentials() == ("pw",)


@pytest.mark.parametrize(
    ("url", "given"),
    [
        ("redis://cache.example:6379/0", ()),
        ("redis://ann:p%40ss%2Fw@cache.example", ("ann", "p@ss/w")),
        ("redis://:p%40ss@cache.example", ("p@ss",)),
    ],
)
def test_a_cache_signs_in_as_its_url_says(url: str, given: tuple[str, ...]) -> None:
    assert redis_connection.Login(url).get_credentials() == given
    assert redis_connection.Login(url).client(1.0).connection_pool.connection_kwargs["host"] == "cache.example"
