"""An account that is erased: nothing of it is left in any table, everybody hears of it, and it dies as a whole or not at all."""

import uuid

import pytest

from services.chassis import clock, database, errors
from services.user import domain, passwords, usecases
from services.user.domain import addresses, payment_methods, proofs, vendors
from services.user.domain.preferences import Change
from services.user.domain.proofs import Purpose
from services.user.store import proofs as proof_rows
from services.user.usecases import belongings
from services.user.usecases.second_factors import Owner
from tests.integration.user import mortal as process
from tests.support import mortal

PASSWORD = "correct horse battery"
TABLES = database.Statement("""
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
""")
EVENTS = database.Statement("SELECT type FROM outbox WHERE key = %(key)s ORDER BY id")
PUBLISHED = database.Statement("DELETE FROM outbox WHERE key = %(key)s AND type NOT LIKE '%%UserErased'")


class Canary:
    """Somebody whose every text holds one word that occurs nowhere else."""

    def __init__(self, users: usecases.Users, db: database.Database) -> None:
        self.word = f"canary{uuid.uuid4().hex}"
        self.user_id = ""
        self._users = users
        self._db = db

    async def plant(self) -> None:
        """Everywhere that the user service keeps something of a person."""
        wanted = domain.Registration(f"{self.word}@example.com", PASSWORD, self.word, "192.0.2.9", self.word)
        self.user_id = (await self._users.accounts.register(wanted)).user.id
        who = belongings.Wanted(self.user_id, self.word)
        home = addresses.Address(*(self.word for _ in addresses.FIELDS))
        await self._users.addresses.add(who, self.word, home, is_default=True)
        card = payment_methods.Draft(f"pm_{self.word}", self.word)
        await self._users.wallet.add(belongings.Wanted(self.user_id), card)
        shop = vendors.Draft(self.word, self.word, "GB", self.word, self.word)
        await self._users.vendors.apply(belongings.Wanted(self.user_id), shop)
        await self._users.preferences.change(self.user_id, Change(language="en"))
        await self._users.proving.request_reset(f"{self.word}@example.com")
        await self._users.second_factors.begin(Owner(self.user_id, password=PASSWORD))
        now = clock.utc_now()
        proof = proofs.Proof(
            uuid.uuid4().bytes * 2, self.user_id, self.user_id, Purpose.RESET, f"{self.word}@example.com", now, now
        )
        async with self._db.transaction() as transaction:
            await proof_rows.keep(transaction, [proof])

    async def found(self, *, text: str = "") -> set[str]:
        """The tables in which the word, or this text, stands."""
        tables = [name for (name,) in await self._db.read(TABLES)]
        found = {}
        for name in tables:
            count = database.Statement(
                f'SELECT count(*) FROM "{name}" AS t WHERE t::text LIKE %(like)s'
                + (" OR encode(t.payload, 'escape') LIKE %(like)s" if name == "outbox" else "")
            )
            [(found[name],)] = await self._db.read(count, {"like": f"%{text or self.word}%"})
        return {name for name, rows in found.items() if rows}


@pytest.fixture
def users(
    db: database.Database,
    accounts: usecases.Accounts,
    sessions: usecases.Sessions,
    hashing: passwords.Passwords,
) -> usecases.Users:
    return usecases.users(db, accounts, sessions, hashing, now=clock.utc_now)


@pytest.fixture
def canary(users: usecases.Users, db: database.Database) -> Canary:
    return Canary(users, db)


async def test_nothing_of_an_erased_account_is_left_in_any_table(
    users: usecases.Users, db: database.Database, canary: Canary, admin_id: str
) -> None:
    await canary.plant()
    await users.accounts.set_roles(canary.user_id, [domain.Role.VENDOR], admin_id=admin_id, reason=canary.word)
    kept = {"users", "token_families", "addresses", "payment_methods", "letters", "proofs", "role_changes", "outbox"}
    assert await canary.found() >= kept | {"vendor_applications"}
    assert "second_factors" in await canary.found(text=canary.user_id)
    await users.accounts.erase(canary.user_id, PASSWORD)
    assert [kind.rsplit(".", 1)[1] for (kind,) in await db.read(EVENTS, {"key": canary.user_id})] == [
        "UserRegistered",
        "UserChanged",
        "UserErased",
    ]
    # What the relay has published is deleted from the outbox.
    await db.read(PUBLISHED, {"key": canary.user_id})
    # The key of a repeated request is random where clients do as they should; it is forgotten with its table's retention.
    assert await canary.found() <= {"idempotent_requests"}
    assert await canary.found(text=canary.user_id) <= {"role_changes", "revocations", "outbox", "idempotent_requests"}


async def test_whoever_was_erased_is_signed_out_and_may_come_again(
    users: usecases.Users, sessions: usecases.Sessions
) -> None:
    wanted = domain.Registration(f"ann.{uuid.uuid4().hex}@example.com", PASSWORD, "Ann")
    session = await users.accounts.register(wanted)
    with pytest.raises(errors.DomainError, match="PASSWORD_WRONG"):
        await users.accounts.erase(session.user.id, "wrong")
    await users.accounts.erase(session.user.id, PASSWORD)
    revoked = {item.subject_id: item.least_version for item in (await sessions.revocations(None)).revocations}
    assert revoked[session.user.id] == 2
    with pytest.raises(errors.DomainError, match="REFRESH_TOKEN_INVALID"):
        await sessions.refresh(session.refresh.text)
    with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
        await users.accounts.erase(session.user.id, PASSWORD)
    assert (await users.accounts.register(wanted)).user.id != session.user.id


async def test_an_administrator_stays(users: usecases.Users, admin_id: str) -> None:
    user = (
        await users.accounts.register(domain.Registration(f"eve.{uuid.uuid4().hex}@example.com", PASSWORD, "Eve"))
    ).user
    await users.accounts.set_roles(user.id, [domain.Role.ADMIN], admin_id=admin_id)
    with pytest.raises(errors.DomainError, match="OWN_ADMIN_ROLE"):
        await users.accounts.erase(user.id, PASSWORD)
    assert (await users.accounts.get(user.id)).roles == (domain.Role.ADMIN,)


@pytest.mark.parametrize("point", mortal.POINTS)
async def test_an_erasure_that_died_erased_all_and_told_of_it_or_nothing(
    database_url: str, users: usecases.Users, db: database.Database, canary: Canary, point: str
) -> None:
    await canary.plant()
    environment = {"DOES": "erase", "USER_ID": canary.user_id, "EMAIL": "", "PASSWORD": PASSWORD}
    mortal.dies(process.__name__, database_url, at=point, **environment)
    told = [kind.endswith("UserErased") for (kind,) in await db.read(EVENTS, {"key": canary.user_id})]
    if point == mortal.WRITTEN:
        assert told == [False]
        await users.accounts.erase(canary.user_id, PASSWORD)
    else:
        assert told == [False, True]
        with pytest.raises(errors.DomainError, match="USER_NOT_FOUND"):
            await users.accounts.get(canary.user_id)
