"""The rows of accounts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Text, bindparam, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.chassis import database
from services.chassis.schema import ID
from services.user import domain
from services.user.store.tables import USERS

_U = USERS.c
_USER = (_U.id, _U.email, _U.display_name, _U.roles, _U.create_time, _U.version, _U.email_verified)
_THIS = _U.id == bindparam("user_id", type_=ID)
# The address is the claim: of two registrations at the same moment one finds it taken. Preferences are empty at first.
_NEW: dict[str, Any] = {column.name: bindparam(column.name) for column in (*_USER, _U.password_hash)}
_INSERT = database.Statement(
    insert(USERS).values(_NEW).on_conflict_do_nothing(index_elements=[_U.email]).returning(_U.id)
)
_BY_ID = database.Statement(select(*_USER, _U.password_hash).where(_THIS))
_LOCK = database.Statement(select(*_USER, _U.password_hash).where(_THIS).with_for_update())
# In one order, so that two who change each other wait instead of deadlocking.
_LOCK_ALL = database.Statement(
    select(*_USER, _U.password_hash)
    .where(_U.id == bindparam("user_ids", type_=ARRAY(ID)).any_())
    .order_by(_U.id)
    .with_for_update()
)
_BY_EMAIL = database.Statement(select(*_USER, _U.password_hash).where(_U.email == bindparam("address", type_=Text)))
# Whether it signed in from this network before, with it.
_TO_SIGN_IN = database.Statement("""
SELECT u.id, u.email, u.display_name, u.roles, u.create_time, u.version, u.email_verified, u.password_hash,
  %(network)s <> '' AND EXISTS (SELECT FROM token_families AS f WHERE f.user_id = u.id AND f.network = %(network)s)
FROM users AS u WHERE u.email = %(address)s
""")
_WRITE = database.Statement(
    update(USERS)
    .where(_THIS)
    .values(
        display_name=bindparam("new_name", type_=Text),
        roles=bindparam("new_roles", type_=ARRAY(Text)),
        password_hash=bindparam("new_hash", type_=Text),
        version=bindparam("new_version", type_=BigInteger),
        email_verified=bindparam("new_verified", type_=Boolean),
    )
)
# What hangs on the row goes with it: sign-ins, addresses, payment methods, proofs. Who changed its roles stays, by ids.
_ERASE = database.Statement("""
WITH letters AS (DELETE FROM letters WHERE email = %(email)s),
  attempts AS (DELETE FROM sign_in_attempts WHERE email = %(email)s),
  reasons AS (UPDATE role_changes SET reason = '' WHERE user_id = %(user_id)s)
DELETE FROM users WHERE id = %(user_id)s
""")
# Only what was compared is replaced: a password that was changed meanwhile stays.
_RENEW_HASH = database.Statement(
    update(USERS)
    .where(_THIS, _U.password_hash == bindparam("old_hash", type_=Text))
    .values(password_hash=bindparam("new_hash", type_=Text))
    .returning(_U.id)
)


async def insert_account(transaction: database.Transaction, account: domain.Account) -> bool:
    """Write a new account; False when its address has one."""
    user = account.user
    row = {
        "id": user.id,
        "email": user.email,
        "display_name": user.display_name,
        "roles": list(user.roles),
        "password_hash": account.password_hash,
        "create_time": user.create_time,
        "version": user.version,
        "email_verified": user.email_verified,
    }
    return bool(await transaction.run(_INSERT, row))


async def lock(transaction: database.Transaction, user_id: str) -> domain.Account | None:
    """The account with this id, which nobody else changes until the transaction ends."""
    return account_of(await transaction.run(_LOCK, {"user_id": user_id}))


async def lock_all(transaction: database.Transaction, user_ids: Sequence[str]) -> dict[str, domain.Account]:
    """The accounts with these ids, by id, which nobody else changes until the transaction ends."""
    rows = await transaction.run(_LOCK_ALL, {"user_ids": list(user_ids)})
    return {row[0]: domain.Account(user_of(row), row[-1]) for row in rows}


async def write(transaction: database.Transaction, account: domain.Account) -> None:
    """Write an account that was locked: its name, roles, hash and version."""
    user = account.user
    changes = {"new_name": user.display_name, "new_roles": list(user.roles), "new_version": user.version}
    kept = {"new_hash": account.password_hash, "new_verified": user.email_verified}
    await transaction.run(_WRITE, {"user_id": user.id, **kept, **changes})


async def erase(transaction: database.Transaction, user: domain.User) -> None:
    """Delete an account that was locked with all that is kept with it, and the letters that were to be sent to it."""
    await transaction.run(_ERASE, {"user_id": user.id, "email": user.email})


async def renew_hash(db: database.Database, account: domain.Account, new_hash: str) -> bool:
    """Replace the hash of the same password; False when somebody replaced it meanwhile."""
    hashes = {"old_hash": account.password_hash, "new_hash": new_hash}
    return bool(await db.read(_RENEW_HASH, {"user_id": account.user.id, **hashes}))


async def find(db: database.Database, user_id: str) -> domain.Account | None:
    """The account with this id."""
    return account_of(await db.read(_BY_ID, {"user_id": user_id}))


async def find_by_address(db: database.Database, address: str) -> domain.Account | None:
    """The account that logs in with this address, in the form that `domain.address` gives."""
    return account_of(await db.read(_BY_EMAIL, {"address": address}))


async def find_to_sign_in(db: database.Database, address: str, network: str) -> tuple[domain.Account | None, bool]:
    """The account that logs in with this address, and whether it signed in from this network before."""
    rows = await db.read(_TO_SIGN_IN, {"address": address, "network": network})
    return (domain.Account(user_of(rows[0]), rows[0][-2]), rows[0][-1]) if rows else (None, False)


def account_of(rows: list[database.Row]) -> domain.Account | None:
    """The account of the only row, if there is one."""
    return domain.Account(user_of(rows[0]), rows[0][-1]) if rows else None


def user_of(row: database.Row) -> domain.User:
    """The account that a row begins with."""
    user_id, email, display_name, roles, create_time, version, verified = row[:7]
    held = tuple(domain.Role(role) for role in roles)
    return domain.User(user_id, email, display_name, held, create_time, version, verified)
