"""One database for each service, owned by a role that nobody signs in as, and three who sign in and work as that role.

    souk_order                  owns the database and everything in it
    souk_order_a, souk_order_b  the service, by turns: while one is in use, the other can be given a new password
    souk_order_migration        the service's migrations

So a password can change while pods run: those that still know the old one go on until the next change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import sql

TURNS = ("a", "b")
MIGRATION = "migration"


@dataclass(frozen=True, slots=True)
class Server:
    """A database server and who masters it. `options` go into every URL: how TLS is checked."""

    address: str
    port: int
    user: str
    password: str
    options: str = "sslmode=verify-full&sslrootcert=/trust/rds.pem"

    def url(self, user: str, password: str, database: str) -> str:
        """How somebody reaches a database there."""
        tail = f"?{self.options}" if self.options else ""
        return f"postgresql://{quote(user)}:{quote(password)}@{self.address}:{self.port}/{database}{tail}"

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """The master's connection; each statement stands alone, as making a database must."""
        with psycopg.connect(self.url(self.user, self.password, "postgres"), autocommit=True) as connection:
            yield connection


def login(database: str, part: str) -> str:
    """Who signs in to a database as `a`, `b` or `migration`."""
    return f"{database}_{part}"


def next_turn(user: str | None, database: str) -> str:
    """Whose turn it is after `user`: the other of the two, and the first where nobody was."""
    return TURNS[1] if user == login(database, TURNS[0]) else TURNS[0]


def ensure(connection: psycopg.Connection, database: str) -> None:
    """See to it that a database, its owner and its logins are there; the logins have no password yet."""
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", database):
        _run(connection, "CREATE ROLE {} NOLOGIN", database)
        # Whoever makes a role may administer it, but a master that is no superuser is not yet one of its members.
        _run(connection, "GRANT {} TO CURRENT_USER", database)
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", database):
        _run(connection, "CREATE DATABASE {} OWNER {}", database, database)
    _run(connection, "REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", database)
    for part in (*TURNS, MIGRATION):
        _ensure_login(connection, login(database, part), database)


def give_password(connection: psycopg.Connection, user: str, password: str) -> None:
    """From now on somebody signs in with this password; sessions that are open stay open."""
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(password))
    connection.execute(statement)


def _ensure_login(connection: psycopg.Connection, user: str, owner: str) -> None:
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", user):
        _run(connection, "CREATE ROLE {} LOGIN IN ROLE {}", user, owner)
    # What one of them makes belongs to the owner, so that the others may change it.
    _run(connection, "ALTER ROLE {} SET role = {}", user, owner)


def _exists(connection: psycopg.Connection, query: str, name: str) -> bool:
    return connection.execute(query.encode(), (name,)).fetchone() is not None


def _run(connection: psycopg.Connection, statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))
