"""How people become vendors: they apply, and an administrator decides.

Each change is one transaction that locks the account first. An approval, the role that it gives, the record of who gave it and
the news for its applicant are one transaction: if the process dies before the commit nothing was decided, and after it whoever
repeats the call is answered what was decided.
"""

import logging
from collections.abc import Sequence

from services.chassis import clock, database, idempotency, ids, pages
from services.user import domain, store
from services.user.domain import vendors as rules
from services.user.domain.vendors import Application, Draft, State
from services.user.store import vendors as rows
from services.user.usecases.accounts import Accounts
from services.user.usecases.belongings import Wanted

_LOG = logging.getLogger(__name__)


class Applications:
    """The use cases of applications to become a vendor."""

    def __init__(self, db: database.Database, accounts: Accounts, *, now: clock.Clock) -> None:
        self._db = db
        self._accounts = accounts
        self._now = now

    async def apply(self, who: Wanted, draft: Draft) -> Application:
        """Apply, once per request id. Raises VENDOR_APPLICATION_OPEN, ALREADY_VENDOR, USER_NOT_FOUND or REQUEST_ID_REUSED."""
        now = self._now()
        new = Application(ids.new_id(now), who.user_id, draft, now)
        claim = idempotency.Claim(who.user_id, who.request_id, who.fingerprint, new.id)
        async with self._db.transaction() as transaction:
            account = await store.lock(transaction, who.user_id)
            if account is None:
                raise domain.user_not_found(who.user_id)
            made = await idempotency.claim_one(transaction, claim)
            if made != new.id:
                return _sure(await rows.lock(transaction, made), made)
            if domain.Role.VENDOR in account.user.roles:
                raise rules.is_vendor()
            if not await rows.insert(transaction, new):
                raise rules.is_open()
        return new

    async def newest(self, user_id: str) -> Application:
        """Somebody's newest application. Raises VENDOR_APPLICATION_NOT_FOUND."""
        found = await self.of_user(user_id)
        return _sure(found[0] if found else None)

    async def of_user(self, user_id: str) -> Sequence[Application]:
        """Somebody's applications, the newest first."""
        return await rows.of_user(self._db, user_id)

    async def withdraw(self, user_id: str) -> None:
        """Take back somebody's application, if one is not decided."""
        async with self._db.transaction() as transaction:
            await store.lock(transaction, user_id)
            for application in await rows.of_user(transaction, user_id):
                if application.state is State.PENDING:
                    await rows.write(transaction, rules.decided(application, State.WITHDRAWN, "", self._now()))

    async def list(self, state: State | None, page: pages.Page) -> pages.Slice[Application]:
        """A page of the applications in a state, or of all, the newest first."""
        return await rows.page(self._db, state, page)

    async def decide(self, decision: rules.Decision) -> Application:
        """Approve an application, which gives its applicant the role, or reject it; once, however often it is repeated.

        Raises VENDOR_APPLICATION_NOT_FOUND, VENDOR_APPLICATION_DECIDED or ACCESS_DENIED.
        """
        applied = _sure(await rows.find(self._db, decision.application_id), decision.application_id)
        async with self._db.transaction() as transaction:
            account = await self._accounts.lock_by(transaction, applied.user_id, admin_id=decision.admin_id)
            before = _sure(await rows.lock(transaction, applied.id), applied.id)
            after = rules.decided(before, decision.state, decision.reason, self._now())
            if after == before:
                return before
            await rows.write(transaction, after)
            transaction.emit([rules.VendorApplicationDecided(after)])
            if after.state is State.APPROVED:
                await self._give_role(transaction, account, decision)
        said = {"application_id": after.id, "admin_id": decision.admin_id, "state": after.state}
        _LOG.warning("vendor's application decided", extra=said)
        return after

    async def _give_role(
        self, transaction: database.Transaction, account: domain.Account, decision: rules.Decision
    ) -> None:
        roles = [*account.user.roles, domain.Role.VENDOR]
        await self._accounts.give_roles(transaction, account, roles, admin_id=decision.admin_id, reason=decision.reason)


def _sure(application: Application | None, application_id: str = "") -> Application:
    """The application that is there. Raises VENDOR_APPLICATION_NOT_FOUND."""
    if application is None:
        raise rules.not_found(application_id)
    return application
