"""Sign-ins: begun, renewed and ended, and which access tokens ended before their time.

A sign-in whose answer was lost is never used and ends by itself. A refresh whose answer was lost may be repeated for as long
as `domain.GRACE`; after that it looks like a theft, and the person signs in again.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.chassis import clock, database, ids
from services.user import domain, refresh_tokens, store

_LOG = logging.getLogger(__name__)
# Revocations that are told in one answer.
REVOCATIONS_AT_ONCE = 10_000
LONG_AGO = datetime.fromtimestamp(0, UTC)
# A revocation counts from the moment it is written, and is seen when it is committed: readers look back so far.
COMMITTED_WITHIN = timedelta(seconds=10)
# The last access token of a sign-in may have been made by another process, whose clock is a little ahead.
CLOCKS_APART = timedelta(seconds=60)


class Signer(Protocol):
    """Signs access tokens."""

    @property
    def public_keys(self) -> Sequence[domain.PublicKey]:
        """The keys that verify what was signed."""

    @property
    def lifetime(self) -> timedelta:
        """How long an access token counts."""

    def sign(self, user: domain.User, family_id: str, now: datetime) -> domain.Access:
        """A token of this sign-in that counts from now."""


class Sessions:
    """The use cases of sign-ins. lifetime is how long a refresh token lasts."""

    def __init__(self, db: database.Database, signer: Signer, lifetime: timedelta, *, now: clock.Clock) -> None:
        self._db = db
        self._signer = signer
        self._lifetime = lifetime
        self._now = now

    async def open(
        self, transaction: database.Transaction, account: domain.Account, origin: domain.Origin
    ) -> domain.SignIn | None:
        """Begin a sign-in. None when the account's hash is no longer the one that was compared."""
        now = self._now()
        family_id, token = ids.new_id(now), refresh_tokens.new(now + self._lifetime)
        sign_in = domain.SignIn(family_id, token)
        opened = await store.open_family(transaction, sign_in, account, origin=origin, now=now)
        return sign_in if opened else None

    def session(self, user: domain.User, sign_in: domain.SignIn) -> domain.Session:
        """What is answered when the sign-in is committed."""
        return domain.Session(user, self._signer.sign(user, sign_in.family_id, self._now()), sign_in.token)

    async def refresh(self, text: str) -> domain.Session:
        """The next session of a sign-in. Raises REFRESH_TOKEN_INVALID, or REFRESH_TOKEN_REUSED, which ends the sign-in."""
        now = self._now()
        token = refresh_tokens.new(now + self._lifetime)
        async with self._db.transaction() as transaction:
            held = await store.lock_token(transaction, refresh_tokens.digest(text))
            use = domain.use_of(held.token if held else None, now)
            if held is None or use is domain.Use.ENDED:
                raise domain.refresh_token_invalid()
            if use is domain.Use.STOLEN:
                await store.revoke_family(transaction, held.token.digest, now, expire_time=self._tokens_expire())
            else:
                await store.exchange(transaction, held.token, token, now)
        if use is domain.Use.STOLEN:
            _LOG.warning("refresh token was sent again, its sign-in is revoked", extra={"user_id": held.user.id})
            raise domain.refresh_token_reused()
        return self.session(held.user, domain.SignIn(held.token.family_id, token))

    async def end(self, text: str) -> None:
        """Revoke the sign-in that a refresh token belongs to, if there is one."""
        digest = refresh_tokens.digest(text)
        async with self._db.transaction() as transaction:
            await store.revoke_family(transaction, digest, self._now(), expire_time=self._tokens_expire())

    async def list(self, user_id: str) -> Sequence[domain.SignInShown]:
        """Somebody's sign-ins that have not ended, the newest first."""
        return await store.families(self._db, user_id, self._now())

    async def end_one(self, user_id: str, family_id: str) -> None:
        """Revoke a sign-in of somebody, if there is one."""
        now, expire_time = self._now(), self._tokens_expire()
        async with self._db.transaction() as transaction:
            await store.end_family(transaction, user_id, family_id, now=now, expire_time=expire_time)

    async def end_others(self, transaction: database.Transaction, user_id: str, kept: str) -> None:
        """Revoke every sign-in of an account but this one (empty: all), with the access tokens that came of them."""
        now, expire_time = self._now(), self._tokens_expire()
        await store.end_others(transaction, user_id, kept or None, now=now, expire_time=expire_time)

    async def end_all(self, transaction: database.Transaction, user_id: str) -> None:
        """Revoke the refresh tokens of all sign-ins of an account."""
        await store.revoke_all(transaction, user_id, self._now())

    async def end_access(self, transaction: database.Transaction, user: domain.User) -> None:
        """Revoke the access tokens that were made before this version of an account."""
        await store.revoke_access(transaction, user, expire_time=self._tokens_expire())

    async def revocations(self, since: datetime | None) -> domain.Revoked:
        """The access tokens that were revoked since then, or all that were and have not expired yet."""
        now = self._now()
        looked, found = await store.revocations(self._db, since or LONG_AGO, now, most=REVOCATIONS_AT_ONCE)
        more = len(found) == REVOCATIONS_AT_ONCE
        return domain.Revoked(found, found[-1].revoke_time if more else looked - COMMITTED_WITHIN, more)

    async def purge(self) -> int:
        """Forget sign-ins, refresh tokens, revocations, proofs and failed tries that expired: how many. The body of a loop.

        Raises TransientError.
        """
        return await store.purge(self._db, self._now())

    def public_keys(self) -> Sequence[domain.PublicKey]:
        """The keys that verify the tokens of sessions."""
        return self._signer.public_keys

    def _tokens_expire(self) -> datetime:
        """When every access token that was made until now has expired."""
        return self._now() + self._signer.lifetime + CLOCKS_APART
