"""The administrator of the settings: seen to by a loop of the working role, whether or not the database is there yet."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from services.chassis import assembly, clock, errors, migrate, process
from services.chassis.settings import SettingsError, read
from services.user import events, main, passwords, tokens, usecases
from services.user.domain import Role
from services.user.settings import Settings
from tests.integration.user.conftest import ISSUER
from tests.support import polling, postgres

ADMIN = "admin@souk.test"
PASSWORD = "correct horse battery"


def _loop(accounts: usecases.Accounts, tmp_path: Path) -> Sequence[process.Part]:
    (tmp_path / "admin_password").write_text(f"{PASSWORD}\n")
    environ = {
        "USER_SIGNING_KEY_DIR": str(tmp_path),
        "ADMIN_EMAIL": ADMIN,
        "ADMIN_PASSWORD_FILE": str(tmp_path / "admin_password"),
    }
    return main._admin(accounts, read(Settings, environ))


async def _lets_admin_in(accounts: usecases.Accounts) -> bool:
    try:
        session = await accounts.login(ADMIN, PASSWORD)
    except (errors.DomainError, errors.TransientError, psycopg.Error):
        return False
    return session.user.roles == (Role.ADMIN,)


async def test_the_administrator_of_the_settings_can_log_in(accounts: usecases.Accounts, tmp_path: Path) -> None:
    [loop] = _loop(accounts, tmp_path)
    await loop.start()
    await polling.eventually(lambda: _lets_admin_in(accounts), within_s=15)
    await loop.stop()


async def test_the_loop_waits_for_a_database_that_is_not_there_yet(
    postgres_admin_url: str, hashing: passwords.Passwords, keys: tokens.KeyRing, tmp_path: Path
) -> None:
    name = f"test_user_{uuid.uuid4().hex[:12]}"
    url = f"{postgres_admin_url.rpartition('/')[0]}/{name}"
    signer = tokens.Signer(keys, ISSUER, timedelta(minutes=1))
    async with postgres.opened(url, events.PUBLISHED) as db:
        sessions = usecases.Sessions(db, signer, timedelta(days=1), now=clock.utc_now)
        accounts = usecases.Accounts(db, hashing, sessions, now=clock.utc_now)
        [loop] = _loop(accounts, tmp_path)
        await loop.start()
        with psycopg.connect(postgres_admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate.migrate(url, assembly.migrations(usecases.SERVICE))
        await polling.eventually(lambda: _lets_admin_in(accounts), within_s=30)
        await loop.stop()
    with psycopg.connect(postgres_admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_without_an_address_there_is_nothing_to_see_to(accounts: usecases.Accounts, tmp_path: Path) -> None:
    assert main._admin(accounts, read(Settings, {"USER_SIGNING_KEY_DIR": str(tmp_path)})) == []


@pytest.mark.parametrize("password", [{}, {"ADMIN_PASSWORD": ""}])
def test_an_administrator_without_a_password_is_a_mistake_in_the_settings(
    accounts: usecases.Accounts, tmp_path: Path, password: dict[str, str]
) -> None:
    environ = {"USER_SIGNING_KEY_DIR": str(tmp_path), "ADMIN_EMAIL": ADMIN, **password}
    with pytest.raises(SettingsError, match="ADMIN_PASSWORD is not"):
        main._admin(accounts, read(Settings, environ))
