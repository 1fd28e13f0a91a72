"""The job that makes and changes credentials: a database server whose master is no superuser, as at RDS."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import moto
import psycopg
import pytest
import sqlalchemy
from psycopg import sql

from scripts.operate.cloud import credentials, databases

REGION = "eu-central-1"
PATH = "souk/test"


class Cache:
    """ElastiCache remembers what it was told; that it takes the token is AWS's."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def modify_replication_group(self, **arguments: Any) -> None:
        self.told.append(arguments)

    def get_waiter(self, name: str) -> "Cache":
        assert name == "replication_group_available"
        return self

    def wait(self, **arguments: Any) -> None:
        assert arguments == {"ReplicationGroupId": "souk-test"}


@pytest.fixture
def names() -> dict[str, str]:
    """Service to database, with names that no other test has."""
    mark = uuid.uuid4().hex[:8]
    return {service: f"souk_{service}_{mark}" for service in ("order", "payment")}


@pytest.fixture
def master(postgres_admin_url: str, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A master who may make roles and databases and is no superuser; everything it has made is gone afterwards."""
    user = f"master_{uuid.uuid4().hex[:8]}"
    url = sqlalchemy.make_url(postgres_admin_url)
    with psycopg.connect(postgres_admin_url, autocommit=True) as connection:
        statement = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(user), sql.Literal("master of it all")))
        yield {"username": user, "password": "master of it all", "host": url.host, "port": url.port or 5432}
        for name in names.values():
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            for role in (*(databases.login(name, part) for part in (*databases.TURNS, databases.MIGRATION)), name):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


@pytest.fixture
def secretsmanager(names: dict[str, str], master: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Secrets as Terraform leaves them: there, and empty; and the master's, which RDS fills."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    with moto.mock_aws():
        client = boto3.client("secretsmanager", region_name=REGION)
        for name in (
            "mesh",
            "signing",
            "admin",
            "redis",
            *(f"{s}-{k}" for s in names for k in ("database", "migration")),
        ):
            client.create_secret(Name=f"{PATH}/{name}")
        client.create_secret(Name="rds!db-1", SecretString=json.dumps(master))
        yield client


@pytest.fixture
def settings(names: dict[str, str], master: dict[str, Any]) -> credentials.Settings:
    """What Terraform's output says."""
    document = {
        "region": REGION,
        "secrets": PATH,
        "databases": {service: {"server": "shared", "name": name} for service, name in names.items()},
        "servers": {"shared": {"address": master["host"], "port": master["port"], "master_secret": "rds!db-1"}},
        "cache": {"id": "souk-test", "address": "cache.test", "port": 6379},
    }
    return credentials.Settings.read(json.dumps(document))


@pytest.fixture
def kept(secretsmanager: Any) -> credentials.Secrets:
    """The secrets."""
    return credentials.Secrets(secretsmanager, PATH)


@pytest.fixture
def cache() -> Cache:
    """The cache."""
    return Cache()


@pytest.fixture
def job(settings: credentials.Settings, kept: credentials.Secrets, cache: Cache) -> credentials.Credentials:
    """The job, on a server without TLS."""
    return credentials.Credentials(settings, kept, cache, tls="")


def _url(kept: credentials.Secrets, name: str) -> str:
    content = kept.read(name)
    assert content is not None
    return content["url"]


def test_filling_makes_what_is_missing_and_the_second_time_nothing(
    job: credentials.Credentials, kept: credentials.Secrets
) -> None:
    databases_of = {"order-database", "order-migration", "payment-database", "payment-migration"}
    assert set(job.fill()) == {"mesh", "signing", "admin", "redis"} | databases_of
    mesh, signing = kept.read("mesh"), kept.read("signing")
    assert mesh is not None
    assert signing is not None
    assert [len(bytes.fromhex(key)) for key in mesh["mesh_key"].split()] == [32, 32]
    ((file, pem),) = signing.items()
    assert file.endswith(".pem")
    assert pem.startswith("-----BEGIN PRIVATE KEY-----")
    assert job.fill() == []
    assert kept.read("mesh") == mesh


def test_what_migrations_make_the_service_works_with(job: credentials.Credentials, kept: credentials.Secrets) -> None:
    job.fill()
    with psycopg.connect(_url(kept, "order-migration"), autocommit=True) as migration:
        migration.execute("CREATE TABLE orders (id int)")
    with psycopg.connect(_url(kept, "order-database"), autocommit=True) as service:
        service.execute("INSERT INTO orders VALUES (1)")
        # A service makes and drops partitions itself.
        service.execute("ALTER TABLE orders ADD COLUMN note text")


def test_a_service_enters_its_own_database_and_no_other(
    job: credentials.Credentials, kept: credentials.Secrets, names: dict[str, str]
) -> None:
    job.fill()
    server, _ = _url(kept, "order-database").rsplit("/", 1)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(f"{server}/{names['payment']}")


def test_passwords_change_while_services_run_and_the_last_one_still_works(
    job: credentials.Credentials, kept: credentials.Secrets
) -> None:
    job.fill()
    first = _url(kept, "order-database")
    with psycopg.connect(first) as running:
        job.rotate()
        second = _url(kept, "order-database")
        assert second != first
        assert running.execute("SELECT 1").fetchone() == (1,)
    psycopg.connect(first).close()
    psycopg.connect(second).close()
    job.rotate()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(first)
    psycopg.connect(second).close()
    psycopg.connect(_url(kept, "order-database")).close()


def test_a_server_that_was_restored_for_another_region_keeps_its_data_and_lets_in_by_new_passwords_alone(
    job: credentials.Credentials,
    kept: credentials.Secrets,
    settings: credentials.Settings,
    secretsmanager: Any,
    names: dict[str, str],
) -> None:
    job.fill()
    with psycopg.connect(_url(kept, "order-migration"), autocommit=True) as migration:
        migration.execute("CREATE TABLE orders (id int)")
    with psycopg.connect(_url(kept, "order-database"), autocommit=True) as service:
        service.execute("INSERT INTO orders VALUES (1)")
    # A restore brings databases and roles; the secrets of what takes the place are empty.
    for name in ("mesh", "signing", "admin", "redis", *(f"{s}-{k}" for s in names for k in ("database", "migration"))):
        secretsmanager.create_secret(Name=f"souk/away/{name}")
    away = credentials.Secrets(secretsmanager, "souk/away")
    assert "order-database" in credentials.Credentials(settings, away, Cache(), tls="").fill()
    with psycopg.connect(_url(away, "order-database"), autocommit=True) as service:
        assert service.execute("SELECT id FROM orders").fetchall() == [(1,)]
        service.execute("ALTER TABLE orders ADD COLUMN note text")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(_url(kept, "order-database"))


def test_the_caches_password_changes_with_the_one_before_it_still_taken(
    job: credentials.Credentials, kept: credentials.Secrets, cache: Cache
) -> None:
    job.fill()
    first = _url(kept, "redis")
    assert "redis" in job.rotate()
    assert _url(kept, "redis") != first
    _, told = cache.told
    assert told["AuthTokenUpdateStrategy"] == "ROTATE"
    assert 16 <= len(told["AuthToken"]) <= 128
    assert _url(kept, "redis") == f"rediss://:{told['AuthToken']}@cache.test:6379/0"


def test_the_meshs_next_key_signs_and_the_one_before_it_still_verifies(
    job: credentials.Credentials, kept: credentials.Secrets
) -> None:
    job.fill()
    first = kept.read("mesh")
    assert "mesh" in job.rotate()
    second = kept.read("mesh")
    assert first is not None
    assert second is not None
    signing, following = first["mesh_key"].split()
    assert second["mesh_key"].split()[::2] == [following, signing]


def test_everything_that_is_printed_is_a_name(
    job: credentials.Credentials, kept: credentials.Secrets, capsys: pytest.CaptureFixture[str]
) -> None:
    said = " ".join([*job.fill(), *job.rotate()]) + capsys.readouterr().out
    for name in ("mesh", "admin", "order-database", "redis"):
        content = kept.read(name)
        assert content is not None
        assert not any(value in said for value in content.values())
