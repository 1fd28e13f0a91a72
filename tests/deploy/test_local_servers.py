"""The servers of a stack, killed and brought back: real processes, in a folder of their own."""

import os
import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest
import redis as redis_client

from scripts.stack import layout, settings
from scripts.stack.servers import postgres, redis
from scripts.stack.supervise import component, processes, progress


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> layout.Stack:
    return layout.Stack("servers", port_base=_free_base(), root=tmp_path_factory.mktemp("souk"))


@pytest.fixture(scope="module")
def starter(stack: layout.Stack) -> Iterator[component.Starter]:
    known = processes.Processes(stack.folder)
    yield component.Starter(known, progress.Silent(), threading.Event())
    for name in known.names():
        if record := known.running(name):
            processes.stop(record, grace=20)


@pytest.fixture(scope="module")
def chosen(stack: layout.Stack) -> settings.Settings:
    return settings.read(stack, {})


def _free_base() -> int:
    """Between 11000 and 18300, where no other stack and no broker of other tests has its ports."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1]) // 4 + 3000


def _kill(starter: component.Starter, name: str) -> None:
    record = starter.running.running(name)
    assert record
    processes.kill(record)


def test_a_killed_postgres_comes_back_with_what_it_had_confirmed(
    starter: component.Starter, chosen: settings.Settings
) -> None:
    starter.ensure(postgres.build(chosen))
    postgres.create_databases(chosen)
    order = next(service for service in chosen.services if service.name == "order")
    with psycopg.connect(chosen.database_url(order)) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    _kill(starter, "postgres")
    lock_file = chosen.stack.folder / "postgres" / "postmaster.pid"
    lines = lock_file.read_text().splitlines()
    # The pid it had belongs to another program by now, which PostgreSQL would take for itself.
    lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert starter.ensure(postgres.build(chosen))
    with psycopg.connect(chosen.database_url(order)) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_service_may_not_enter_another_services_database(
    starter: component.Starter, chosen: settings.Settings
) -> None:
    starter.ensure(postgres.build(chosen))
    postgres.create_databases(chosen)
    order, payment = (next(s for s in chosen.services if s.name == name) for name in ("order", "payment"))
    elsewhere = chosen.database_url(order).rpartition("/")[0] + "/souk_payment"
    assert chosen.database_url(payment).endswith("/souk_payment")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(elsewhere)


def test_postgres_is_as_durable_as_in_production(starter: component.Starter, chosen: settings.Settings) -> None:
    starter.ensure(postgres.build(chosen))
    with psycopg.connect(chosen.admin_database_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_a_killed_redis_comes_back_with_what_it_had(starter: component.Starter, chosen: settings.Settings) -> None:
    starter.ensure(redis.build(chosen))
    with redis_client.Redis.from_url(chosen.servers()["REDIS_URL"]) as client:
        client.set("cart", "full")
    _kill(starter, "redis")
    assert starter.ensure(redis.build(chosen))
    with redis_client.Redis.from_url(chosen.servers()["REDIS_URL"]) as client:
        assert client.get("cart") == b"full"


def test_redis_asks_for_a_password(starter: component.Starter, chosen: settings.Settings) -> None:
    starter.ensure(redis.build(chosen))
    with (
        redis_client.Redis("127.0.0.1", chosen.stack.port("redis")) as client,
        pytest.raises(redis_client.AuthenticationError),
    ):
        client.ping()
