"""Accounts: made, signed in to and changed."""

import dataclasses
import logging
import secrets
from collections.abc import Sequence
from typing import Protocol

from services.chassis import clock, database, ids
from services.user import domain, sealing, store, turns
from services.user.domain import second_factors, security
from services.user.store import role_changes
from services.user.store import second_factors as factor_rows
from services.user.usecases.codes import Codes
from services.user.usecases.sessions import Sessions
from services.user.usecases.throttling import Counted, Throttle

_LOG = logging.getLogger(__name__)
ADMIN_NAME = "Administrator"
# A login begins again when the hash it compared is replaced meanwhile; more often than this nobody replaces it by chance.
LOGIN_TRIES = 3


class Passwords(Protocol):
    """Hashes passwords and compares them, for whoever has a turn of one of three kinds."""

    logins: turns.Turns
    registrations: turns.Turns
    changes: turns.Turns

    async def hash(self, password: str) -> str:
        """The hash of a password."""

    async def compare(self, password: str, hashed: str | None) -> domain.Match:
        """Whether the password made the hash; not without one, and just as late."""

    def outdated(self, hashed: str) -> bool:
        """Whether a hash should be made anew."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Proven:
    """Who sent the right password, for which account, and where the try was counted."""

    asker: turns.Asker
    account: domain.Account
    counted: Counted


class Accounts:
    """The use cases of accounts."""

    def __init__(
        self,
        db: database.Database,
        passwords: Passwords,
        sessions: Sessions,
        *,
        now: clock.Clock,
        seal: sealing.Seal = sealing.OPEN,
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._sessions = sessions
        self.codes = Codes(seal, now=now)
        self.throttle = Throttle(db, now=now)
        self._now = now

    async def register(self, wanted: domain.Registration) -> domain.Session:
        """Make a customer's account and sign it in. Raises EMAIL_TAKEN, EMAIL_INVALID, or OVERLOADED when too many register."""
        domain.check_password("password", wanted.password)
        async with self._passwords.registrations.turn(turns.Asker(wanted.address, domain.address(wanted.email))):
            account = await self._new(wanted, domain.Role.CUSTOMER)
        async with self._db.transaction() as transaction:
            if not await store.insert_account(transaction, account):
                raise domain.email_taken()
            origin = domain.Origin(wanted.address, wanted.user_agent)
            sign_in = await self._sessions.open(transaction, account, origin)
            transaction.emit([domain.UserRegistered(account.user)])
        if sign_in is None:
            raise domain.account_changed()
        return self._sessions.session(account.user, sign_in)

    async def login(
        self, email: str, password: str, *, code: str = "", origin: domain.Origin = domain.NOWHERE
    ) -> domain.Session:
        """Sign somebody in who calls from there, with a code if the account has a second factor.

        Raises CREDENTIALS_WRONG, in the same way and time for a wrong e-mail address and password, and whatever the code is;
        SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG or SECOND_FACTOR_EXHAUSTED for the right password alone; OVERLOADED
        before anything is read when too many sign in; or SIGN_IN_THROTTLED before anything is hashed when too many failed.
        A hash that is replaced between its comparison and the sign-in is compared anew: an old password opens nothing.
        """
        asker = turns.Asker(origin.address, domain.address(email))
        for _ in range(LOGIN_TRIES):
            async with self._passwords.logins.turn(asker):
                proven = await self._authenticated(asker, password, origin)
            sign_in = await self._opened(proven, code, origin)
            if sign_in:
                self._passwords.logins.proved(asker, right=True)
                return self._sessions.session(proven.account.user, sign_in)
        raise domain.account_changed()

    async def _opened(self, proven: _Proven, code: str, origin: domain.Origin) -> domain.SignIn | None:
        """A sign-in, when the code suffices: what is wrong with it is committed. None when the hash is another by now."""
        asker, account = proven.asker, proven.account
        trusted = self._passwords.logins.proven(asker)
        async with self._db.transaction() as transaction:
            held = await factor_rows.hold(transaction, account)
            await self.throttle.take_back(transaction, proven.counted)
            if not held:
                return None
            verdict = await self.codes.check(transaction, account.user.id, code, trusted=trusted)
            refusal = second_factors.refusal(verdict)
            sign_in = None if refusal else await self._sessions.open(transaction, account, origin)
        if verdict is second_factors.Verdict.WRONG:
            self._passwords.logins.proved(asker, right=False)
        if refusal:
            raise refusal
        return sign_in

    async def _authenticated(self, asker: turns.Asker, password: str, origin: domain.Origin) -> _Proven:
        """The account with this password, its hash as they are made today. Raises CREDENTIALS_WRONG or SIGN_IN_THROTTLED."""
        account, known = await store.find_to_sign_in(self._db, asker.account, origin.network)
        counted = await self.throttle.count(asker.account, origin, known=known)
        match = await self._passwords.compare(password, account.password_hash if account else None)
        right = account is not None and match is not domain.Match.NONE
        if account is None or not right:
            self._passwords.logins.proved(asker, right=False)
            raise domain.credentials_wrong()
        return _Proven(asker, await self._renewed(account, password, match), counted)

    async def get(self, user_id: str) -> domain.User:
        """An account. Raises USER_NOT_FOUND."""
        account = await store.find(self._db, user_id)
        if account is None:
            raise domain.user_not_found(user_id)
        return account.user

    async def update(self, user_id: str, change: domain.ProfileChange) -> domain.User:
        """Change somebody's own account; a new password ends all of its sign-ins.

        Raises USER_NOT_FOUND, PASSWORD_WRONG, ACCOUNT_CHANGED when the password was changed at the same moment, or
        OVERLOADED when too many change theirs.
        """
        before = await store.find(self._db, user_id)
        if before is None:
            raise domain.user_not_found(user_id)
        # Compared and hashed before the transaction begins: it takes longer than all the rest.
        new_hash = await self._new_hash(before, change) if change.new_password is not None else ""
        async with self._db.transaction() as transaction:
            account = await store.lock(transaction, user_id)
            if account is None:
                raise domain.user_not_found(user_id)
            if new_hash and account.password_hash != before.password_hash:
                raise domain.account_changed()
            user = domain.changed(account.user, display_name=change.display_name)
            wanted = domain.Account(user, new_hash or account.password_hash)
            return (await self.write(transaction, account, wanted)).user

    async def erase(self, user_id: str, password: str) -> None:
        """Erase somebody's own account with all that is kept with it, and tell of it.

        Raises USER_NOT_FOUND, PASSWORD_WRONG, OWN_ADMIN_ROLE for an administrator, ACCOUNT_CHANGED when the password was
        changed at the same moment, or OVERLOADED.
        """
        before = await self.authenticated(user_id, password)
        async with self._db.transaction() as transaction:
            account = await self.locked(transaction, before)
            if domain.Role.ADMIN in account.user.roles:
                raise domain.own_admin_role()
            gone = dataclasses.replace(account.user, version=account.user.version + 1)
            await store.erase(transaction, gone)
            await self._sessions.end_access(transaction, gone)
            transaction.emit([domain.UserErased(user_id, gone.version, self._now())])
        _LOG.warning("account erased", extra={"user_id": user_id})

    async def authenticated(self, user_id: str, password: str) -> domain.Account:
        """Somebody's own account, by its password. Raises USER_NOT_FOUND, PASSWORD_WRONG or OVERLOADED."""
        account = await store.find(self._db, user_id)
        if account is None:
            raise domain.user_not_found(user_id)
        async with self._passwords.changes.turn(turns.Asker(user_id, user_id)):
            if await self._passwords.compare(password, account.password_hash) is domain.Match.NONE:
                raise domain.password_wrong()
        return account

    async def locked(self, transaction: database.Transaction, before: domain.Account) -> domain.Account:
        """An account that was authenticated, locked. Raises USER_NOT_FOUND, or ACCOUNT_CHANGED when its password changed."""
        account = await store.lock(transaction, before.user.id)
        if account is None:
            raise domain.user_not_found(before.user.id)
        if account.password_hash != before.password_hash:
            raise domain.account_changed()
        return account

    async def set_roles(
        self, user_id: str, roles: Sequence[domain.Role], *, admin_id: str, reason: str = ""
    ) -> domain.User:
        """Set the roles of an account, and write down who did. Raises ACCESS_DENIED, USER_NOT_FOUND or OWN_ADMIN_ROLE.

        Who changes is locked with who is changed, and must be an administrator by what is locked. That one stays an
        administrator, so that there is always one left, however many take the role from each other at once.
        """
        if user_id == admin_id and domain.Role.ADMIN not in roles:
            raise domain.own_admin_role()
        async with self._db.transaction() as transaction:
            account = await self.lock_by(transaction, user_id, admin_id=admin_id)
            user = await self.give_roles(transaction, account, roles, admin_id=admin_id, reason=reason)
        if user != account.user:
            said = {"user_id": user_id, "admin_id": admin_id, "roles": ",".join(user.roles)}
            _LOG.warning("roles changed", extra=said)
        return user

    async def lock_by(self, transaction: database.Transaction, user_id: str, *, admin_id: str) -> domain.Account:
        """An account, locked with the administrator who changes it. Raises ACCESS_DENIED or USER_NOT_FOUND."""
        locked = await store.lock_all(transaction, [user_id, admin_id])
        if admin_id not in locked or domain.Role.ADMIN not in locked[admin_id].user.roles:
            raise domain.no_administrator()
        if user_id not in locked:
            raise domain.user_not_found(user_id)
        return locked[user_id]

    async def give_roles(
        self,
        transaction: database.Transaction,
        account: domain.Account,
        roles: Sequence[domain.Role],
        *,
        admin_id: str,
        reason: str,
    ) -> domain.User:
        """Set the roles of an account that was locked with its administrator, and write down who did, if they are others."""
        user = domain.changed(account.user, roles=roles)
        await self.write(transaction, account, dataclasses.replace(account, user=user))
        if user != account.user:
            now = self._now()
            before = account.user.roles
            change = domain.RoleChange(ids.new_id(now), user.id, admin_id, before, user.roles, reason, now)
            await role_changes.add(transaction, change)
        return user

    async def role_changes(self, user_id: str) -> Sequence[domain.RoleChange]:
        """The changes of somebody's roles, the newest first."""
        return await role_changes.of_user(self._db, user_id)

    async def ensure_admin(self, email: str, password: str) -> int:
        """See to it that this address is an administrator's, with this password: how much had to change.

        An account that somebody made with the address before loses its password, and its sign-ins, to this one.
        """
        account = await store.find_by_address(self._db, domain.address(email))
        if account is None:
            return int(
                await self._made(await self._new(domain.Registration(email, password, ADMIN_NAME), domain.Role.ADMIN))
            )
        known = await self._passwords.compare(password, account.password_hash) is not domain.Match.NONE
        if known and domain.Role.ADMIN in account.user.roles:
            return 0
        _LOG.warning("administrator's account changed", extra={"user_id": account.user.id})
        return int(
            await self._taken_over(account, account.password_hash if known else await self._passwords.hash(password))
        )

    async def without_password(self, email: str, display_name: str, *, address: str) -> domain.Account:
        """A customer's account with a verified address and a password that nobody knows, not written yet.

        Raises EMAIL_INVALID, or OVERLOADED when too many register from this network address.
        """
        wanted = domain.Registration(email, secrets.token_urlsafe(32), display_name, address)
        async with self._passwords.registrations.turn(turns.Asker(address, domain.address(email))):
            account = await self._new(wanted, domain.Role.CUSTOMER)
        return dataclasses.replace(account, user=dataclasses.replace(account.user, email_verified=True))

    async def _new(self, wanted: domain.Registration, role: domain.Role) -> domain.Account:
        now = self._now()
        user = domain.User(ids.new_id(now), domain.new_address(wanted.email), wanted.display_name, (role,), now)
        # Hashed before a transaction begins: it takes longer than all the rest.
        return domain.Account(user, await self._passwords.hash(wanted.password))

    async def _made(self, account: domain.Account) -> bool:
        """Write an account; False when the address has one."""
        async with self._db.transaction() as transaction:
            made = await store.insert_account(transaction, account)
            if made:
                transaction.emit([domain.UserRegistered(account.user)])
        return made

    async def _taken_over(self, before: domain.Account, password_hash: str) -> bool:
        """Make an account the administrator's; False when somebody changed its password meanwhile."""
        async with self._db.transaction() as transaction:
            account = await store.lock(transaction, before.user.id)
            if account is None or account.password_hash != before.password_hash:
                return False
            user = domain.changed(account.user, roles=[*account.user.roles, domain.Role.ADMIN])
            await self.write(transaction, account, domain.Account(user, password_hash))
        return True

    async def write(
        self, transaction: database.Transaction, old: domain.Account, wanted: domain.Account
    ) -> domain.Account:
        """Write what is different, revoke the tokens that allow more than the account does now, and tell of the change.

        The old account is locked.
        """
        if wanted == old:
            return old
        new = domain.revised(old, wanted)
        await store.write(transaction, new)
        if new.password_hash != old.password_hash:
            await self._sessions.end_all(transaction, new.user.id)
            transaction.emit([security.changed(new.user.id, security.Change.PASSWORD_CHANGED, self._now())])
        if domain.loses(old, new):
            await self._sessions.end_access(transaction, new.user)
        transaction.emit([domain.UserChanged(new.user)])
        return new

    async def _new_hash(self, account: domain.Account, change: domain.ProfileChange) -> str:
        """The hash of the new password. Raises PASSWORD_WRONG."""
        new_password = change.new_password or ""
        domain.check_password("new_password", new_password)
        async with self._passwords.changes.turn(turns.Asker(account.user.id, account.user.id)):
            match = await self._passwords.compare(change.current_password, account.password_hash)
            if match is domain.Match.NONE:
                raise domain.password_wrong()
            return await self._passwords.hash(new_password)

    async def _renewed(self, account: domain.Account, password: str, match: domain.Match) -> domain.Account:
        """The account with a hash as they are made today; as it was when somebody replaced the hash meanwhile."""
        if match is domain.Match.YES and not self._passwords.outdated(account.password_hash):
            return account
        new_hash = await self._passwords.hash(password)
        renewed = await store.renew_hash(self._db, account, new_hash)
        return dataclasses.replace(account, password_hash=new_hash) if renewed else account
