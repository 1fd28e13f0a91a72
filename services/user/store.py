"""The rows of accounts. Rows become domain values here and nowhere else."""

from sqlalchemy import Column, DateTime, MetaData, Table, Text, bindparam, select, update
from sqlalchemy.dialects.postgresql import ARRAY, UUID, insert

from services.chassis import database
from services.user import domain

METADATA = MetaData()
ID = UUID(as_uuid=False)

USERS = Table(
    "users",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)

_U = USERS.c
_USER = (_U.id, _U.email, _U.display_name, _U.roles, _U.create_time)
# The address is the claim: of two registrations at the same moment one finds it taken.
_INSERT = database.Statement(insert(USERS).on_conflict_do_nothing(index_elements=[_U.email]).returning(_U.id))
_BY_ID = database.Statement(select(*_USER).where(_U.id == bindparam("user_id", type_=ID)))
_BY_EMAIL = database.Statement(select(*_USER, _U.password_hash).where(_U.email == bindparam("address", type_=Text)))
# Only what was read is replaced: of two changes at the same moment one wins whole.
_SET_CREDENTIALS = database.Statement(
    update(USERS)
    .where(_U.id == bindparam("user_id", type_=ID), _U.password_hash == bindparam("old_hash", type_=Text))
    .values(password_hash=bindparam("new_hash", type_=Text), roles=bindparam("new_roles", type_=ARRAY(Text)))
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
    }
    return bool(await transaction.run(_INSERT, row))


async def set_credentials(db: database.Database, old: domain.Account, new: domain.Account) -> bool:
    """Replace the hash and the roles of an account; False when somebody replaced the hash meanwhile."""
    changes = {"old_hash": old.password_hash, "new_hash": new.password_hash, "new_roles": list(new.user.roles)}
    return bool(await db.read(_SET_CREDENTIALS, {"user_id": old.user.id, **changes}))


async def find(db: database.Database, user_id: str) -> domain.User | None:
    """The account with this id."""
    rows = await db.read(_BY_ID, {"user_id": user_id})
    return _user(rows[0]) if rows else None


async def find_by_address(db: database.Database, address: str) -> domain.Account | None:
    """The account that logs in with this address, in the form that `domain.address` gives."""
    rows = await db.read(_BY_EMAIL, {"address": address})
    return domain.Account(_user(rows[0]), rows[0][-1]) if rows else None


def _user(row: database.Row) -> domain.User:
    user_id, email, display_name, roles, create_time = row[:5]
    return domain.User(user_id, email, display_name, tuple(domain.Role(role) for role in roles), create_time)
