"""Sign-in with accounts of other providers, and the links that it leaves.

An attempt is a row, found by the digests of its state and of its binding together. Whoever comes back claims it, asks the
provider once, outside any transaction, and notes who came; then one transaction makes the account if there is none, links,
opens the sign-in and ends the attempt. If the process dies before who came is noted, the person begins again, for a provider
takes a code once. If it dies later, before the commit, nothing was changed and the caller repeats the call.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.chassis import clock, database, errors
from services.user import domain, refresh_tokens, sealing, store
from services.user.domain import providers as rules
from services.user.domain import second_factors, security
from services.user.store import providers as rows
from services.user.usecases.accounts import Accounts
from services.user.usecases.sessions import Sessions

_LOG = logging.getLogger(__name__)


class OpenId(Protocol):
    """The providers, as they are asked."""

    def names(self) -> Sequence[str]:
        """Their names."""

    async def address(self, name: str, begun: rules.Begun) -> str:
        """Where to send a browser. Raises SIGN_IN_PROVIDER_UNKNOWN or SIGN_IN_PROVIDER_UNAVAILABLE."""

    async def identity(self, answer: rules.Answer, begun: rules.Begun) -> rules.Identity:
        """Who came back. Raises the same, or SIGN_IN_REFUSED."""


class NoProviders:
    """Nobody signs in with another provider."""

    def names(self) -> Sequence[str]:
        """None."""
        return ()

    async def address(self, name: str, _: rules.Begun) -> str:
        """Raise SIGN_IN_PROVIDER_UNKNOWN."""
        raise rules.unknown(name, ())

    async def identity(self, answer: rules.Answer, _: rules.Begun) -> rules.Identity:
        """Raise SIGN_IN_PROVIDER_UNKNOWN."""
        raise rules.unknown(answer.provider, ())


@dataclass(frozen=True, slots=True)
class Started:
    """What whoever began is answered, once."""

    address: str = field(repr=False)
    binding: str = field(repr=False)
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class _Match:
    """The account that an identity opens, and whose it is."""

    whose: rules.Whose
    account: domain.Account


class SignInProviders:
    """The use cases of sign-in with other providers. openid asks them; without it there are none."""

    def __init__(self, db: database.Database, accounts: Accounts, sessions: Sessions, *, now: clock.Clock) -> None:
        self._db = db
        self._accounts = accounts
        self._sessions = sessions
        self.openid: OpenId = NoProviders()
        self._seal: sealing.Seal = accounts.codes.seal
        self._now = now

    def names(self) -> Sequence[str]:
        """The names of the providers that people sign in with."""
        return self.openid.names()

    async def begin(self, provider: str) -> Started:
        """Begin a sign-in. Raises SIGN_IN_PROVIDER_UNKNOWN or SIGN_IN_PROVIDER_UNAVAILABLE."""
        return await self._begun(provider, None)

    async def complete(self, answer: rules.Answer, origin: domain.Origin) -> domain.Session:
        """End a sign-in that was begun: a session of the account that is linked, or was found, or was made.

        Raises SIGN_IN_NOT_VALID, SIGN_IN_EMAIL_UNVERIFIED, LINK_NEEDS_SIGN_IN, ACCOUNT_CHANGED, what providers are asked with,
        and what a code of a second factor is refused with.
        """
        identity = await self._identity(answer, None)
        match = await self._match(answer.provider, identity, origin)
        sign_in = None
        async with self._db.transaction() as transaction:
            account = await self._kept(transaction, match, identity)
            if not await rows.lock(transaction, answer, None, self._now()):
                raise rules.not_valid()
            verdict = await self._accounts.codes.check(transaction, account.user.id, answer.second_factor_code)
            refusal = second_factors.refusal(verdict)
            if refusal is None:
                await self._link(transaction, answer, identity, match)
                await rows.end(transaction, answer)
                sign_in = await self._sessions.open(transaction, account, origin)
        if refusal is not None:
            raise refusal
        if sign_in is None:
            raise domain.account_changed()
        return self._sessions.session(account.user, sign_in)

    async def links(self, user_id: str) -> Sequence[rules.Link]:
        """Somebody's links."""
        return await rows.links(self._db, user_id)

    async def begin_link(self, user_id: str, provider: str, password: str) -> Started:
        """Begin to link an account of a provider. Raises PASSWORD_WRONG, LINK_EXISTS, and what `begin` raises."""
        await self._accounts.authenticated(user_id, password)
        if any(link.provider == provider for link in await self.links(user_id)):
            raise rules.link_exists()
        return await self._begun(provider, user_id)

    async def complete_link(self, user_id: str, answer: rules.Answer) -> rules.Link:
        """Link an account of a provider, as somebody began. Raises SIGN_IN_NOT_VALID, LINK_TAKEN, LINK_EXISTS and the like."""
        identity = await self._identity(answer, user_id)
        link = rules.Link(answer.provider, identity.subject, user_id, identity.email, self._now())
        async with self._db.transaction() as transaction:
            if await store.lock(transaction, user_id) is None:
                raise domain.user_not_found(user_id)
            if not await rows.lock(transaction, answer, user_id, self._now()):
                raise rules.not_valid()
            if not await rows.link(transaction, link):
                taken = await rows.owner(transaction, link.provider, link.subject)
                raise rules.link_exists() if taken in (None, user_id) else rules.link_taken()
            self._tell(transaction, user_id, security.Change.SIGN_IN_LINK_ADDED, link.provider)
            await rows.end(transaction, answer)
        _LOG.warning("sign-in link added", extra={"user_id": user_id, "provider": link.provider})
        return link

    async def unlink(self, user_id: str, provider: str) -> None:
        """Remove a link, if it is there."""
        async with self._db.transaction() as transaction:
            # Locked, so that of two that remove a link at once one tells of it.
            await store.lock(transaction, user_id)
            if provider not in [link.provider for link in await rows.links(transaction, user_id)]:
                return
            await rows.unlink(transaction, user_id, provider)
            self._tell(transaction, user_id, security.Change.SIGN_IN_LINK_REMOVED, provider)
        _LOG.warning("sign-in link removed", extra={"user_id": user_id, "provider": provider})

    def _tell(self, transaction: database.Transaction, user_id: str, change: security.Change, provider: str) -> None:
        transaction.emit([security.changed(user_id, change, self._now(), provider=provider)])

    async def _begun(self, provider: str, user_id: str | None) -> Started:
        now = self._now()
        expire_time = now + rules.LIFETIME
        begun = rules.Begun(*(secrets.token_urlsafe(32) for _ in range(3)))
        address = await self.openid.address(provider, begun)
        binding = refresh_tokens.new(expire_time)
        state = refresh_tokens.digest(begun.state)
        sealed = self._seal.closed(state.hex(), f"{begun.nonce} {begun.verifier}")
        await rows.begin(self._db, rules.Attempt(state, binding.digest, provider, user_id, sealed, now, expire_time))
        return Started(address, binding.text, expire_time)

    async def _identity(self, answer: rules.Answer, user_id: str | None) -> rules.Identity:
        """Who came back, by asking the provider once. Raises SIGN_IN_NOT_VALID, and what providers are asked with."""
        found = await rows.find(self._db, answer, user_id, self._now())
        if found is None:
            raise rules.not_valid()
        sealed, identity = found
        if identity is not None:
            return identity
        if not await rows.claim(self._db, answer, user_id, self._now()):
            raise rules.not_valid()
        opened = self._seal.opened(refresh_tokens.digest(answer.state).hex(), sealed)
        nonce, _, verifier = opened.partition(" ")
        try:
            identity = await self.openid.identity(answer, rules.Begun(answer.state, nonce, verifier))
        except errors.DomainError as error:
            if error.code is errors.Code.UNAVAILABLE:
                await rows.release(self._db, answer)
            raise
        await rows.prove(self._db, answer, identity)
        return identity

    async def _match(self, provider: str, identity: rules.Identity, origin: domain.Origin) -> _Match:
        """The account that an identity opens. Raises SIGN_IN_EMAIL_UNVERIFIED, LINK_NEEDS_SIGN_IN or ACCOUNT_CHANGED."""
        owner_id = await rows.owner(self._db, provider, identity.subject)
        if owner_id is not None:
            return _Match(rules.Whose.LINKED, _sure(await store.find(self._db, owner_id)))
        found = await store.find_by_address(self._db, domain.address(identity.email))
        whose = rules.whose(identity, found.user if found else None)
        if found is not None:
            return _Match(whose, found)
        name = rules.display_name(identity)
        # Its password is hashed before the transaction begins, as in every registration.
        return _Match(whose, await self._accounts.without_password(identity.email, name, address=origin.address))

    async def _kept(self, transaction: database.Transaction, match: _Match, identity: rules.Identity) -> domain.Account:
        """The account, locked, or made now; as it was when it was found. Raises ACCOUNT_CHANGED: the call may be repeated."""
        if match.whose is rules.Whose.NOBODYS:
            if not await store.insert_account(transaction, match.account):
                raise domain.account_changed()
            transaction.emit([domain.UserRegistered(match.account.user)])
            return match.account
        account = _sure(await store.lock(transaction, match.account.user.id))
        if match.whose is rules.Whose.THEIRS:
            rules.whose(identity, account.user)
        return account

    async def _link(
        self, transaction: database.Transaction, answer: rules.Answer, identity: rules.Identity, match: _Match
    ) -> None:
        """See to it that the link is there. Raises ACCOUNT_CHANGED, or LINK_NEEDS_SIGN_IN when another of the provider is."""
        user_id = match.account.user.id
        if match.whose is not rules.Whose.LINKED:
            link = rules.Link(answer.provider, identity.subject, user_id, identity.email, self._now())
            if await rows.link(transaction, link):
                if match.whose is rules.Whose.THEIRS:
                    self._tell(transaction, user_id, security.Change.SIGN_IN_LINK_ADDED, link.provider)
                _LOG.warning("sign-in link added", extra={"user_id": user_id, "provider": link.provider})
                return
        owner_id = await rows.owner(transaction, answer.provider, identity.subject)
        if owner_id is None and match.whose is rules.Whose.THEIRS:
            # The provider gave the address to another person, or a person has two accounts there.
            raise rules.needs_sign_in()
        if owner_id != user_id:
            raise domain.account_changed()


def _sure(account: domain.Account | None) -> domain.Account:
    """The account that was there a moment ago. Raises ACCOUNT_CHANGED."""
    if account is None:
        raise domain.account_changed()
    return account
