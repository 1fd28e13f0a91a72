"""The database of a service: a pool, transactions that write their events with the change, and statements built once.

SQLAlchemy Core builds statements and tables; each is compiled to text once and run on psycopg directly, because the engine
costs as much as the query. Ids are text on this side (`uuid` columns load as `str`), times are aware UTC.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Protocol

import psycopg
import psycopg_pool
import sqlalchemy
from psycopg.types.string import TextLoader
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from services.chassis import arrays, credentials, errors, tasks, tracing

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]

# Refuses to wait for ever for a lock, a query or a forgotten transaction. Milliseconds.
SESSION = "-c lock_timeout=5000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000 -c TimeZone=UTC"
# A server that vanished without a word (its node died, its address moved) is noticed within 15 s instead of minutes or hours:
# by probes while we wait for its answer, and by what it does not acknowledge (milliseconds).
LINK = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 15_000}
_DIALECT = PGDialect_psycopg(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

# Whether this task has a transaction open.
_OPEN = ContextVar("transaction_open", default=False)

# Classes of SQLSTATE that a repetition may not meet again: connection lost, transaction rolled back (deadlock,
# serialisation), resources exhausted, server shutting down, lock not available, a server that is read-only during failover.
# psycopg's OperationalError is wider: a value too long for an index (54000) is one, and fails for ever.
_TRANSIENT_STATES = ("08", "40", "53", "57P", "55P03", "25006")

# What a server says to a wrong password or user (SQLSTATE class 28, which libpq does not pass on for a login).
_REFUSED = re.compile(r"authentication failed|role .+ does not exist|not permitted to log in|no pg_hba\.conf entry")


class Statement:
    """A statement built with SQLAlchemy Core (or written as SQL with %(name)s places), compiled when first used."""

    def __init__(self, query: sqlalchemy.ClauseElement | str) -> None:
        self._query = query

    @cached_property
    def compiled(self) -> tuple[str, Parameters]:
        """The SQL text, and the values that the builder put into it."""
        if isinstance(self._query, str):
            return self._query, {}
        compiled = self._query.compile(dialect=_DIALECT)
        return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}

    def bound(self, parameters: Parameters | None) -> tuple[str, Parameters]:
        """The text to run with these parameters, and all values for it."""
        text, built_in = self.compiled
        return text, {**built_in, **parameters} if parameters else built_in


class Lookup(Statement):
    """A statement that finds rows by `= ANY(array)`; `by` names the array. For one key it runs as `= key`.

    PostgreSQL cannot know how long an array will be, so it plans the statement anew at each call, which costs as much as
    reading a row does. The plan for one key is kept.
    """

    def __init__(self, query: sqlalchemy.ClauseElement | str, *, by: str) -> None:
        super().__init__(query)
        self._by = by

    @cached_property
    def _for_one(self) -> tuple[str, Parameters]:
        text, built_in = self.compiled
        array = rf"ANY ?\(%\({self._by}\)s::([A-Za-z]+)\[\]\)"
        one, places = re.subn(array, rf"%({self._by})s::\1", text)
        if places != 1:
            raise ValueError(f"{self._by} is not compared with ANY(array) once: {text}")
        return one, built_in

    def bound(self, parameters: Parameters | None) -> tuple[str, Parameters]:
        """The text for one key or for many, and all values for it."""
        keys = (parameters or {})[self._by]
        if len(keys) != 1:
            return super().bound(parameters)
        text, built_in = self._for_one
        return text, {**built_in, **(parameters or {}), self._by: keys[0]}


def given(table: sqlalchemy.Table, *names: str) -> sqlalchemy.TableValuedAlias:
    """Rows passed as one array per column, typed as the table's columns.

    It reads `unnest(...) AS given(...)`. The arrays are the parameters of the same names; `columns` makes them from objects.
    """
    arrays = [sqlalchemy.bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    named = [sqlalchemy.column(name, table.c[name].type) for name in names]
    return sqlalchemy.func.unnest(*arrays).table_valued(*named).render_derived(name="given")


def insert_given(table: sqlalchemy.Table, *names: str) -> Any:
    """An insert of any number of rows in one statement, to be refined (on_conflict_do_nothing, returning)."""
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - shadows the general insert by name

    return insert(table).from_select(list(names), sqlalchemy.select(given(table, *names)))


def columns(rows: Iterable[Any], *names: str) -> dict[str, list[Any]]:
    """The attributes `names` of the rows as one list each: the parameters of `given`."""
    items = list(rows)
    return {name: [getattr(item, name) for item in items] for name in names}


def document(value: Any) -> dict[str, Any]:
    """The fields of a value (a dataclass with slots) by name, for a JSON column: `asdict` would copy each of them deeply."""
    return {name: getattr(value, name) for name in value.__slots__}


def storable(text: str) -> str:
    """The text with what PostgreSQL refuses in text and JSON (NUL, lone surrogates) written as escapes."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


class Emitter(Protocol):
    """Turns what happened into rows of the outbox, in the transaction it happened in."""

    async def write(self, transaction: "Transaction", events: Sequence[object]) -> None:
        """Insert the events, in their order."""


class Transaction:
    """One database transaction. What is emitted in it is written at its end, so that an event cannot be forgotten."""

    def __init__(self, connection: psycopg.AsyncConnection[Row]) -> None:
        self._connection = connection
        self.events: list[object] = []
        # Where each of them comes from: several calls and events may share one transaction.
        self.origins: list[tracing.Origin] = []
        self.committed: list[Callable[[], None]] = []

    async def run(self, statement: Statement, parameters: Parameters | None = None) -> list[Row]:
        """Execute, and answer with the rows (none for a statement that returns none)."""
        return await _execute(self._connection, statement, parameters)

    def emit(self, events: Iterable[object]) -> None:
        """Publish these domain events if, and only if, the transaction commits; after all rows it changes are locked."""
        emitted = list(events)
        self.events += emitted
        self.origins += [tracing.origin()] * len(emitted)

    def after_commit(self, wake: Callable[[], None]) -> None:
        """Call this when the transaction has committed, to wake whoever works on what it wrote. It must not fail."""
        if wake not in self.committed:
            self.committed.append(wake)


class Database:
    """The pool of one service. Opening it waits for the server; everything else raises TransientError when it is unavailable.

    The URL is read anew for each connection: its password may change while the service runs.
    """

    def __init__(self, url: str | credentials.Credential, emitter: Emitter, *, pool_size: int = 8) -> None:
        self._emitter = emitter
        login = credentials.of(url)
        self._pool = psycopg_pool.AsyncConnectionPool(
            login.current,
            connection_class=_connecting_as(login),
            min_size=1,
            max_size=pool_size,
            open=False,
            timeout=5.0,
            max_lifetime=1800,
            kwargs={"autocommit": True, "options": SESSION, "connect_timeout": 5, **LINK},
            configure=_configure,
            check=None,
            reconnect_timeout=30,
            num_workers=2,
        )
        self._checking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the pool. It connects in the background, so that a service starts before its database does."""
        await self._pool.open(wait=False)

    async def stop(self) -> None:
        """Close all connections."""
        if self._checking:
            self._checking.cancel()
            await asyncio.wait([self._checking])
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction: commits at the end of the block, rolls back when it raises.

        Raises TransientError when the database is unavailable or another transaction is in the way. When it is raised by the
        commit itself the outcome is unknown: repeat with the same ids, as every write of this project may be repeated.
        """
        async with _translated(self._check_the_others), self._pool.connection() as connection:
            transaction = Transaction(connection)
            async with connection.transaction():
                outer = _OPEN.get()
                _OPEN.set(True)
                try:
                    yield transaction
                finally:
                    _OPEN.set(outer)
                if transaction.events:
                    await self._emitter.write(transaction, transaction.events)
        for wake in transaction.committed:
            wake()

    async def read(self, statement: Statement, parameters: Parameters | None = None) -> list[Row]:
        """One statement of its own, committed at once. Raises TransientError when the database is unavailable."""
        async with _translated(self._check_the_others), self._pool.connection() as connection:
            return await _execute(connection, statement, parameters)

    async def _check_the_others(self) -> None:
        """A connection was lost: most likely they all were. Without a check each of them would fail a call of its own.

        One check at a time. It takes all idle connections out of the pool as soon as it runs, so the next call waits for
        one that works.
        """
        if self._checking is None or self._checking.done():
            self._checking = tasks.spawn(self._pool.check(), name="database-check")
        await asyncio.sleep(0)


def require_no_transaction(call: str) -> None:
    """Raise RuntimeError when this task has a transaction open: whoever calls out would hold its locks until the answer."""
    if _OPEN.get():
        raise RuntimeError(
            f"{call} is called inside a database transaction, which holds its locks until the answer comes"
        )


class _translated:  # noqa: N801 - used like the function that contextlib would make, at a third of its cost
    """Turns errors that go away by themselves into TransientError, and tells when it was the connection that was lost."""

    def __init__(self, lost: Callable[[], Awaitable[None]]) -> None:
        self._lost = lost

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, psycopg.Error) and is_transient(error):
            if _is_loss(error):
                await self._lost()
            raise errors.TransientError(f"database: {error}") from error


def is_transient(error: psycopg.Error) -> bool:
    """Whether repeating the same work may succeed: by SQLSTATE, or, without one, because the connection failed."""
    if error.sqlstate is None:
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return error.sqlstate.startswith(_TRANSIENT_STATES)


def _is_loss(error: psycopg.Error) -> bool:
    """Whether the server is gone from the other end, and not only busy, nor all connections of the pool in use."""
    if isinstance(error, (psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed)):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


async def _execute(
    connection: psycopg.AsyncConnection[Row], statement: Statement, parameters: Parameters | None
) -> list[Row]:
    text, values = statement.bound(parameters)
    with tracing.span("sql", statement=text):
        cursor = await connection.execute(text.encode(), values or None)
        # There is a number of the next row where there are rows; a `description` would be made of every column first.
        return await cursor.fetchall() if cursor.rownumber is not None else []


def _connecting_as(login: credentials.Credential) -> type[psycopg.AsyncConnection[Row]]:
    """Connections that raise an alarm when the server refuses the login: the pool itself only tries again."""

    class Connection(psycopg.AsyncConnection[Row]):
        @classmethod
        async def connect(cls, *arguments: Any, **options: Any) -> Any:
            try:
                return await super().connect(*arguments, **options)
            except psycopg.OperationalError as error:
                if _REFUSED.search(str(error)):
                    login.refused(str(error))
                raise

    return Connection


async def _configure(connection: psycopg.AsyncConnection[Row]) -> None:
    connection.adapters.register_loader("uuid", TextLoader)
    connection.adapters.register_dumper(list, arrays.ArrayDumper)
