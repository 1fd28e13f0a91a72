"""A database and the use cases of the user service."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis import clock, database
from services.chassis.rpc import identity
from services.user import domain, passwords, store, tokens, usecases

ISSUER = identity.Issuer("https://souk.test", "souk")
LIFETIME = timedelta(days=30)


@pytest_asyncio.fixture
async def admin_id(db: database.Database) -> str:
    """An administrator, who was there before the test and of whom no event tells."""
    user_id = str(uuid.uuid4())
    roles = (domain.Role.ADMIN,)
    user = domain.User(user_id, f"admin.{user_id}@example.com", "Administrator", roles, clock.utc_now())
    async with db.transaction() as transaction:
        assert await store.insert_account(transaction, domain.Account(user, "nobody's"))
    return user_id


@pytest_asyncio.fixture
async def hashing() -> AsyncIterator[passwords.Passwords]:
    made = passwords.Passwords()
    yield made
    await made.stop()


@pytest.fixture
def keys(tmp_path: Path) -> tokens.KeyRing:
    private, pem = ec.generate_private_key(ec.SECP256R1()), serialization.Encoding.PEM
    text = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "test.pem").write_bytes(text)
    return tokens.KeyRing(tmp_path)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return clock.utc_now() + self.ahead


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def sessions(db: database.Database, keys: tokens.KeyRing, hands: Hands) -> usecases.Sessions:
    return usecases.Sessions(db, tokens.Signer(keys, ISSUER, timedelta(minutes=15)), LIFETIME, now=hands)


@pytest.fixture
def accounts(
    db: database.Database, hashing: passwords.Passwords, sessions: usecases.Sessions, hands: Hands
) -> usecases.Accounts:
    return usecases.Accounts(db, hashing, sessions, now=hands)
