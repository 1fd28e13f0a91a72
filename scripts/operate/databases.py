"""One database and one role per service: a service can enter its own database and no other."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from scripts.operate import credentials


def ensure(admin_url: str, passwords: Mapping[str, str]) -> None:
    """See to it that each service (name to password) has its role, with that password, and its database."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for service, password in passwords.items():
            _ensure_role(connection, credentials.role(service), password)
            _ensure_database(connection, credentials.role(service))


def _ensure_role(connection: psycopg.Connection, name: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(password))
    )


def _ensure_database(connection: psycopg.Connection, name: str) -> None:
    quoted = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(quoted, quoted))
    connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(quoted))
