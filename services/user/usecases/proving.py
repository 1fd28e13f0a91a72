"""Addresses verified and passwords reset, by tokens that are sent by mail.

Whoever asks for a letter writes a row and no more, for an address with an account and for one without: so the answer, and
how long it takes, tells nothing. `Letters` sends them: a claim makes a token, keeps its digest, and hands the text to
notification, which forgets it when it is sent; no token is in a topic or a table of ours. If the process dies between the
claim and the answer the letter is claimed again with another token: the person may get two letters, and either works.
A token is used up in the transaction that changes the account: if the process dies before the commit, it still counts.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from services.chassis import clock, database, ids, postponed
from services.user import domain, refresh_tokens, store, turns
from services.user.domain import proofs
from services.user.store import proofs as proof_rows
from services.user.usecases.accounts import Accounts, Passwords

_LOG = logging.getLogger(__name__)

# How long a claimed letter is this process's, in seconds: longer than a call may take.
LEASE_S = 30.0


class Post(Protocol):
    """Who sends mail."""

    async def send(self, user_id: str, subject: str, text: str, *, key: str) -> bool:
        """Have a text sent to somebody, once per key, and not kept. False when nobody knows whether it will be."""


class Proving:
    """The use cases of proofs. wake tells whoever sends letters that there is one."""

    def __init__(self, db: database.Database, accounts: Accounts, passwords: Passwords, *, now: clock.Clock) -> None:
        self._db = db
        self._accounts = accounts
        self._passwords = passwords
        self._now = now
        self.wake: Callable[[], None] = lambda: None

    async def request_reset(self, email: str) -> None:
        """Have a token sent that resets the password of the account with this address, if there is one."""
        await self._write_to(proofs.Purpose.RESET, domain.address(email))

    async def request_verification(self, user_id: str) -> None:
        """Have a token sent that verifies somebody's address, unless it is verified. Raises USER_NOT_FOUND."""
        user = await self._accounts.get(user_id)
        if not user.email_verified:
            await self._write_to(proofs.Purpose.VERIFY, user.email)

    async def verify(self, token: str) -> None:
        """Verify the address that a token was sent to. Raises TOKEN_NOT_VALID."""
        async with self._db.transaction() as transaction:
            account = await self._used(transaction, token, proofs.Purpose.VERIFY)
            user = domain.changed(account.user, email_verified=True)
            await self._accounts.write(transaction, account, domain.Account(user, account.password_hash))

    async def reset(self, token: str, new_password: str, *, address: str = "") -> None:
        """Set a new password for the account that a token was sent to, which ends its sign-ins and its other tokens.

        Raises TOKEN_NOT_VALID, or OVERLOADED when too many change their passwords.
        """
        domain.check_password("new_password", new_password)
        # Looked at before anything costs CPU: who has no token is refused for the price of a read.
        owner_id = await proof_rows.find(self._db, refresh_tokens.digest(token), proofs.Purpose.RESET, self._now())
        if owner_id is None:
            raise proofs.not_valid()
        async with self._passwords.changes.turn(turns.Asker(address, owner_id)):
            new_hash = await self._passwords.hash(new_password)
        async with self._db.transaction() as transaction:
            account = await self._used(transaction, token, proofs.Purpose.RESET)
            await proof_rows.use_others(transaction, account.user.id, proofs.Purpose.RESET, self._now())
            user = domain.changed(account.user, email_verified=True)
            await self._accounts.write(transaction, account, domain.Account(user, new_hash))
            await self._accounts.throttle.forget(transaction, user.email)
        _LOG.warning("password reset by a token", extra={"user_id": account.user.id})

    async def _write_to(self, purpose: proofs.Purpose, email: str) -> None:
        now = self._now()
        async with self._db.transaction() as transaction:
            await proof_rows.add_letter(transaction, proofs.Letter(ids.new_id(now), purpose, email, now))
            transaction.after_commit(self.wake)

    async def _used(self, transaction: database.Transaction, token: str, purpose: proofs.Purpose) -> domain.Account:
        """The account that this token was sent to, locked; the token is used up. Raises TOKEN_NOT_VALID."""
        used = await proof_rows.use(transaction, refresh_tokens.digest(token), purpose, self._now())
        account = await store.lock(transaction, used[0]) if used else None
        if used is None or account is None or account.user.email != used[1]:
            raise proofs.not_valid()
        return account


class Letters:
    """The sending of letters, as an effect of `chassis/effects.py`."""

    def __init__(self, post: Post, *, now: clock.Clock) -> None:
        self._post = post
        self._now = now

    async def claim(self, transaction: database.Transaction, most: int) -> list[proofs.Issued]:
        """Lease letters that are due, and make a token for each that is to be sent."""
        now = self._now()
        claimed = await proof_rows.claim(transaction, now, most=most, lease_s=LEASE_S)
        tokens = [refresh_tokens.new(now + proofs.LIFETIMES[item.letter.purpose]) for item in claimed]
        kept = [
            proofs.Proof(
                token.digest,
                item.letter.id,
                item.user_id,
                item.letter.purpose,
                item.letter.email,
                now,
                token.expire_time,
            )
            for item, token in zip(claimed, tokens, strict=True)
            if item.user_id
        ]
        await proof_rows.keep(transaction, kept)
        return [
            proofs.Issued(item, token.text if item.user_id else None)
            for item, token in zip(claimed, tokens, strict=True)
        ]

    async def perform(self, work: proofs.Issued) -> bool:
        """Send one letter: whether it is done with."""
        letter, user_id = work.claimed.letter, work.claimed.user_id
        if user_id is None or work.token is None:
            return True
        # Another attempt has another token, and so is another message.
        key = f"letter-{letter.id}-{work.claimed.attempt}"
        subject, text = proofs.SUBJECTS[letter.purpose], proofs.text(letter.purpose, work.token)
        return await self._post.send(user_id, subject, text, key=key)

    async def settle(self, transaction: database.Transaction, outcomes: Sequence[tuple[proofs.Issued, bool]]) -> bool:
        """Forget the letters that are done with, and those that nobody waits for any more; the others are due again."""
        done, later = [], []
        for work, sent in outcomes:
            item = work.claimed
            if sent or self._now() - item.letter.create_time > proofs.LIFETIMES[proofs.Purpose.RESET]:
                done.append(item)
            else:
                later.append(postponed.after(item.letter.id, item.epoch, attempt=item.attempt, counted=True))
        await proof_rows.settle(transaction, done, later)
        return False
