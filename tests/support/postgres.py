"""Databases for tests: each made for one module, migrated as in production, dropped at its end. The fixtures
`database_url` and `db` of tests/integration hand them out.
"""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import sqlalchemy
from psycopg import sql

from services.chassis import assembly, clock, database, migrate
from services.chassis.outbox import outbox


@contextmanager
def fresh_database(admin_url: str, service: str) -> Iterator[str]:
    """The URL of a new, migrated database of a service; it is gone after the block."""
    with empty_database(admin_url, service) as url:
        migrate.migrate(url, assembly.migrations(service))
        yield url


@contextmanager
def empty_database(admin_url: str, service: str, *, like: str = "template1") -> Iterator[str]:
    """The URL of a new database without any tables, or with those of another one; it is gone after the block."""
    name = f"test_{service}_{uuid.uuid4().hex[:12]}"
    url = sqlalchemy.make_url(admin_url).set(database=name).render_as_string(hide_password=False)
    _run(admin_url, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like)))
    try:
        yield url
    finally:
        _run(admin_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def backed_up(admin_url: str, url: str) -> Iterator[str]:
    """The URL of a copy of a database as it is now, to restore it to this moment. Nobody may be connected to it."""
    source = sqlalchemy.make_url(url).database
    with empty_database(admin_url, "copy", like=str(source)) as copy:
        yield copy


@asynccontextmanager
async def opened(url: str, publications: outbox.Publications) -> AsyncIterator[database.Database]:
    """The database as a service has it; events stay in its outbox, for there is no relay."""
    db = database.Database(url, outbox.Outbox(publications, clock.utc_now, lambda: None))
    await db.start()
    try:
        yield db
    finally:
        await db.stop()


def _run(admin_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(statement)
