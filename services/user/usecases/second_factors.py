"""Second factors: begun, confirmed, switched off, and their recovery codes made anew.

Each change is one transaction that locks the account first. If the process dies before its commit nothing changed; if it dies
after a confirmation, before the answer, the factor is on and its recovery codes are nobody's: its owner has the authenticator,
and renews them.
"""

import dataclasses
import logging
from collections.abc import Sequence

import pyotp

from services.chassis import clock, database
from services.user import domain, recovery_codes, store
from services.user.domain import second_factors, security
from services.user.domain.second_factors import Factor, Verdict
from services.user.store import second_factors as factor_rows
from services.user.usecases.accounts import Accounts
from services.user.usecases.sessions import Sessions

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """Who changes a second factor: by which sign-in, with what password and code."""

    user_id: str
    sign_in: str = ""
    password: str = dataclasses.field(default="", repr=False)
    code: str = dataclasses.field(default="", repr=False)


class SecondFactors:
    """The use cases of second factors."""

    def __init__(self, db: database.Database, accounts: Accounts, sessions: Sessions, *, now: clock.Clock) -> None:
        self._db = db
        self._accounts = accounts
        self._sessions = sessions
        self._codes = accounts.codes
        self._now = now

    async def get(self, user_id: str) -> Factor | None:
        """Somebody's second factor, when it is on. Raises USER_NOT_FOUND."""
        await self._accounts.get(user_id)
        factor = await factor_rows.find(self._db, user_id)
        return factor if factor is not None and factor.enable_time is not None else None

    async def begin(self, owner: Owner) -> second_factors.Enrolment:
        """A new secret for an authenticator. Raises PASSWORD_WRONG, SECOND_FACTOR_EXISTS, ACCOUNT_CHANGED or USER_NOT_FOUND."""
        before = await self._accounts.authenticated(owner.user_id, owner.password)
        secret = pyotp.random_base32()
        factor = Factor(owner.user_id, self._codes.seal.closed(owner.user_id, secret), self._now())
        async with self._db.transaction() as transaction:
            await self._accounts.locked(transaction, before)
            if not await factor_rows.begin(transaction, factor):
                raise second_factors.exists()
        return second_factors.enrolment(secret, before.user.email)

    async def confirm(self, owner: Owner) -> Sequence[str]:
        """Switch the factor on by its first code, and end every other sign-in: the recovery codes.

        Raises CODE_WRONG, SECOND_FACTOR_EXISTS, SECOND_FACTOR_NOT_BEGUN or USER_NOT_FOUND.
        """
        async with self._db.transaction() as transaction:
            if await store.lock(transaction, owner.user_id) is None:
                raise domain.user_not_found(owner.user_id)
            factor = await factor_rows.lock(transaction, owner.user_id)
            if factor is not None:
                factor = dataclasses.replace(factor, secret=self._codes.seal.opened(owner.user_id, factor.secret))
            on = second_factors.confirmed(factor, owner.code, self._now())
            codes = await self._new_codes(transaction, on)
            await self._sessions.end_others(transaction, owner.user_id, owner.sign_in)
            self._tell(transaction, owner, security.Change.SECOND_FACTOR_ENABLED)
        _LOG.warning("second factor switched on", extra={"user_id": owner.user_id})
        return codes

    async def disable(self, owner: Owner) -> None:
        """Switch the factor off, and end every other sign-in.

        Raises PASSWORD_WRONG, CODE_WRONG, SECOND_FACTOR_EXHAUSTED, SECOND_FACTOR_OFF, ACCOUNT_CHANGED or USER_NOT_FOUND.
        """
        before = await self._accounts.authenticated(owner.user_id, owner.password)
        async with self._db.transaction() as transaction:
            verdict = await self._checked(transaction, before, owner)
            if verdict is Verdict.RIGHT:
                await factor_rows.delete(transaction, owner.user_id)
                await self._sessions.end_others(transaction, owner.user_id, owner.sign_in)
                self._tell(transaction, owner, security.Change.SECOND_FACTOR_DISABLED)
        _refuse(verdict)
        _LOG.warning("second factor switched off", extra={"user_id": owner.user_id})

    async def renew_codes(self, owner: Owner) -> Sequence[str]:
        """New recovery codes in place of those of before. Raises what `disable` raises."""
        before = await self._accounts.authenticated(owner.user_id, owner.password)
        codes: Sequence[str] = ()
        async with self._db.transaction() as transaction:
            verdict = await self._checked(transaction, before, owner)
            factor = await factor_rows.lock(transaction, owner.user_id)
            if verdict is Verdict.RIGHT and factor is not None:
                codes = await self._new_codes(transaction, factor)
                self._tell(transaction, owner, security.Change.RECOVERY_CODES_RENEWED)
        _refuse(verdict)
        return codes

    def _tell(self, transaction: database.Transaction, owner: Owner, change: security.Change) -> None:
        transaction.emit([security.changed(owner.user_id, change, self._now())])

    async def _checked(self, transaction: database.Transaction, before: domain.Account, owner: Owner) -> Verdict:
        await self._accounts.locked(transaction, before)
        return await self._codes.check(transaction, owner.user_id, owner.code)

    async def _new_codes(self, transaction: database.Transaction, factor: Factor) -> Sequence[str]:
        codes = recovery_codes.new()
        digests = tuple(recovery_codes.digest(code) for code in codes)
        await factor_rows.write(transaction, dataclasses.replace(factor, recovery=digests))
        return codes


def _refuse(verdict: Verdict) -> None:
    """Raise what somebody who is signed in is told of a code that is not right."""
    match verdict:
        case Verdict.RIGHT:
            return
        case Verdict.OFF:
            raise second_factors.off()
        case Verdict.EXHAUSTED:
            raise second_factors.exhausted()
        case _:
            raise second_factors.code_wrong()
