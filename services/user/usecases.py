"""What can be done with accounts.

An account and the event that tells of it are one transaction. If the process dies before the commit nothing happened;
if it dies after it, the account is there and the relay of whoever starts next publishes the event: the caller who got no
answer logs in. Sessions have no rows: one whose answer was lost is simply never used.
"""

import dataclasses
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.chassis import clock, database, errors, ids
from services.user import domain, store

_LOG = logging.getLogger(__name__)

SERVICE = "user"
ADMIN_NAME = "Administrator"


class Passwords(Protocol):
    """Hashes passwords and compares them."""

    async def hash(self, password: str) -> str:
        """The hash of a password."""

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password made the hash; False without one, and just as late."""

    def outdated(self, hashed: str) -> bool:
        """Whether a hash should be made anew."""


class Signer(Protocol):
    """Signs sessions."""

    @property
    def public_keys(self) -> Sequence[domain.PublicKey]:
        """The keys that verify what was signed."""

    def sign(self, user: domain.User, now: datetime) -> domain.Session:
        """A session that begins now."""


class Accounts:
    """The use cases of accounts."""

    def __init__(self, db: database.Database, passwords: Passwords, signer: Signer, *, now: clock.Clock) -> None:
        self._db = db
        self._passwords = passwords
        self._signer = signer
        self._now = now

    async def register(self, wanted: domain.Registration) -> domain.Session:
        """Make a customer's account and sign it in. Raises EMAIL_TAKEN."""
        made = await self._make(wanted, domain.Role.CUSTOMER)
        if made is None:
            raise domain.email_taken()
        return self._signer.sign(made, self._now())

    async def login(self, email: str, password: str) -> domain.Session:
        """Sign somebody in. Raises CREDENTIALS_WRONG, in the same way and time for a wrong address and password."""
        account = await store.find_by_address(self._db, domain.address(email))
        matches = await self._passwords.matches(password, account.password_hash if account else None)
        if account is None or not matches:
            raise domain.credentials_wrong()
        if self._passwords.outdated(account.password_hash):
            await self._set(account, password, account.user.roles)
        return self._signer.sign(account.user, self._now())

    async def get(self, user_id: str) -> domain.User:
        """An account. Raises USER_NOT_FOUND."""
        user = await store.find(self._db, user_id)
        if user is None:
            raise errors.not_found("USER_NOT_FOUND", "there is no such account", user_id=user_id)
        return user

    def public_keys(self) -> Sequence[domain.PublicKey]:
        """The keys that verify the tokens of sessions."""
        return self._signer.public_keys

    async def ensure_admin(self, email: str, password: str) -> int:
        """See to it that this address is an administrator's, with this password: how much had to change.

        An account that somebody made with the address before loses its password to this one.
        """
        account = await store.find_by_address(self._db, domain.address(email))
        if account is None:
            wanted = domain.Registration(email, password, ADMIN_NAME)
            made = await self._make(wanted, domain.Role.ADMIN)
            return int(made is not None)
        known = await self._passwords.matches(password, account.password_hash)
        if known and domain.Role.ADMIN in account.user.roles:
            return 0
        roles = tuple(dict.fromkeys([*account.user.roles, domain.Role.ADMIN]))
        _LOG.warning("administrator's account changed", extra={"user_id": account.user.id})
        return int(await self._set(account, password, roles))

    async def _make(self, wanted: domain.Registration, role: domain.Role) -> domain.User | None:
        """Make an account; None when the address has one."""
        now = self._now()
        user = domain.User(ids.new_id(now), domain.address(wanted.email), wanted.display_name, (role,), now)
        # Hashed before the transaction begins: it takes longer than all the rest.
        account = domain.Account(user, await self._passwords.hash(wanted.password))
        async with self._db.transaction() as transaction:
            if not await store.insert_account(transaction, account):
                return None
            transaction.emit([domain.UserRegistered(user)])
        return user

    async def _set(self, account: domain.Account, password: str, roles: tuple[domain.Role, ...]) -> bool:
        """Give an account a new hash of a password; False when somebody else did so meanwhile."""
        hashed = await self._passwords.hash(password)
        changed = domain.Account(dataclasses.replace(account.user, roles=roles), hashed)
        return await store.set_credentials(self._db, account, changed)
