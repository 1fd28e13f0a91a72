"""A service outlives two rotations of its credentials: whoever connects then uses those of the moment."""

import asyncio
import functools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from sqlalchemy import make_url

from scripts.operate.cloud import databases
from services.chassis import assembly, cache, clock, database, errors, redis_store
from services.chassis.outbox import outbox
from services.chassis.settings import read
from tests.support import polling

SERVICE = "inventory"
WHO = database.Statement("SELECT session_user")


def alarms() -> float:
    return REGISTRY.get_sample_value("souk_alarms_total", {"service": SERVICE, "alarm": "login_refused"}) or 0.0


async def answered(call: Callable[[], Awaitable[object]]) -> None:
    """Wait until the call succeeds: one may fail because its connection was ended."""

    async def succeeds() -> bool:
        try:
            await call()
        except errors.TransientError:
            return False
        return True

    await polling.eventually(succeeds)


class Rotation:
    """The monthly job's two logins at a real server, and the file that the kubelet keeps."""

    def __init__(self, admin_url: str, name: str, path: Path) -> None:
        self._admin = psycopg.connect(admin_url, autocommit=True)
        self._url = make_url(admin_url)
        self._name = name
        self.path = path
        self._user: str | None = None
        databases.ensure(self._admin, name)

    def turn(self) -> str:
        """As the job does it: the login that is not in use gets a new password, and is the one in use."""
        self._user = databases.login(self._name, databases.next_turn(self._user, self._name))
        password = uuid.uuid4().hex
        databases.give_password(self._admin, self._user, password)
        self.write(password)
        return self._user

    def write(self, password: str) -> None:
        url = self._url.set(username=self._user, password=password, database=self._name)
        self.path.write_text(url.render_as_string(hide_password=False))

    def end_sessions(self) -> None:
        """As a failover does."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        self._admin.execute(ended, (self._name,))

    def close(self) -> None:
        self._admin.execute(f"DROP DATABASE {self._name} WITH (FORCE)".encode())
        for part in ("_a", "_b", "_migration", ""):
            self._admin.execute(f"DROP ROLE {self._name}{part}".encode())
        self._admin.close()


@pytest.fixture
def rotation(postgres_admin_url: str, tmp_path: Path) -> Iterator[Rotation]:
    made = Rotation(postgres_admin_url, f"rotated_{uuid.uuid4().hex[:8]}", tmp_path / "url")
    made.turn()
    yield made
    made.close()


@pytest_asyncio.fixture
async def db(rotation: Rotation) -> AsyncIterator[database.Database]:
    environ = {"INVENTORY_DATABASE_URL_FILE": str(rotation.path)}
    chosen = read(assembly.DatabaseSettings, environ, service=SERVICE)
    opened = database.Database(chosen.url, outbox.Outbox({}, clock.utc_now, lambda: None))
    await opened.start()
    yield opened
    await opened.stop()


async def _reached_as(db: database.Database, user: str) -> bool:
    try:
        return await db.read(WHO) == [(user,)]
    except errors.TransientError:
        return False


async def test_a_database_is_reached_after_its_password_has_changed_twice(
    rotation: Rotation, db: database.Database
) -> None:
    before = alarms()
    await answered(lambda: db.read(WHO))
    for _ in range(2):
        user = rotation.turn()
        rotation.end_sessions()
        # A session ends some moments after it was told to: until then it still answers.
        await polling.eventually(functools.partial(_reached_as, db, user))
    assert alarms() == before


async def test_a_refused_login_raises_an_alarm_and_a_mended_file_is_enough(
    rotation: Rotation, db: database.Database
) -> None:
    await answered(lambda: db.read(WHO))
    before = alarms()
    rotation.write("wrong")
    rotation.end_sessions()

    waiting = asyncio.create_task(answered(lambda: db.read(WHO)))

    async def alarmed() -> bool:
        return alarms() > before

    await polling.eventually(alarmed)
    rotation.turn()
    await waiting


class RedisRotation:
    """A user at a real Redis whose password changes, as ElastiCache changes it."""

    def __init__(self, admin: Redis, url: str, path: Path) -> None:
        self._admin = admin
        self._url = make_url(url)
        self.path = path
        self._user = f"rotated-{uuid.uuid4().hex[:8]}"

    async def turn(self) -> None:
        """A new password, the file that says so, and no connection that knew the old one."""
        password = uuid.uuid4().hex
        await self._run("ACL", "SETUSER", self._user, "on", "resetpass", f">{password}", "~*", "&*", "+@all")
        self.write(password)
        await self._run("CLIENT", "KILL", "USER", self._user)

    def write(self, password: str) -> None:
        url = self._url.set(username=self._user, password=password)
        self.path.write_text(url.render_as_string(hide_password=False))

    async def forget(self) -> None:
        await self._run("ACL", "DELUSER", self._user)

    async def _run(self, *command: str) -> None:
        await self._admin.execute_command(*command)  # type: ignore[no-untyped-call]  # the library leaves it untyped


@pytest_asyncio.fixture
async def redis_rotation(redis_url: str, tmp_path: Path) -> AsyncIterator[RedisRotation]:
    async with Redis.from_url(redis_url) as admin:
        made = RedisRotation(admin, redis_url, tmp_path / "redis")
        await made.turn()
        yield made
        await made.forget()


@pytest.fixture
def chosen(redis_rotation: RedisRotation) -> assembly.RedisSettings:
    environ = {"REDIS_URL_FILE": str(redis_rotation.path), "REDIS_TIMEOUT_S": "5"}
    return read(assembly.RedisSettings, environ, service=SERVICE)


@pytest_asyncio.fixture
async def store(chosen: assembly.RedisSettings) -> AsyncIterator[redis_store.RedisStore]:
    made = redis_store.RedisStore(chosen.url, SERVICE, timeout_s=chosen.timeout_s)
    yield made
    await made.stop()


async def test_a_store_in_redis_is_reached_after_its_password_has_changed_twice(
    redis_rotation: RedisRotation, store: redis_store.RedisStore
) -> None:
    async def ping() -> None:
        async with store.commands() as redis:
            await redis.ping()

    before = alarms()
    for _ in range(3):
        await answered(ping)
        await redis_rotation.turn()
    await answered(ping)
    assert alarms() == before


async def test_a_login_that_redis_refuses_raises_an_alarm(
    redis_rotation: RedisRotation, store: redis_store.RedisStore
) -> None:
    before = alarms()
    redis_rotation.write("wrong")
    with pytest.raises(errors.TransientError):
        async with store.commands() as redis:
            await redis.ping()
    assert alarms() == before + 1
    await redis_rotation.turn()
    async with store.commands() as redis:
        assert await redis.ping()


async def test_a_cache_is_reached_after_its_password_has_changed_twice(
    redis_rotation: RedisRotation, chosen: assembly.RedisSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PAUSE_S", 0.0)
    shared, key = cache.Shared(chosen.url, cache.Seal(b"a secret")), f"rotated:{uuid.uuid4().hex}"

    async def found() -> bool:
        await shared.put({key: b"tea"}, 60)
        return await shared.get([key]) == [b"tea"]

    for _ in range(3):
        await polling.eventually(found)
        await redis_rotation.turn()
    await polling.eventually(found)
    await shared.stop()
