"""Tokens that are sent by mail: hashed, used once, gone after a while; what they change; and what is left after a death."""

import asyncio
import uuid
from datetime import timedelta

import pytest
import pytest_asyncio

from services.chassis import database, errors
from services.user import domain, passwords, usecases
from services.user.domain import proofs
from services.user.usecases import proving
from tests.integration.user import mortal as process
from tests.integration.user.conftest import Hands
from tests.support import mortal

PASSWORD = "correct horse battery"
NEW = "another horse battery"
DATABASE = database.Statement(
    "SELECT (SELECT count(*) FROM letters), (SELECT string_agg(p::text, ',') FROM proofs AS p)"
)
LETTERS = database.Statement("SELECT id::text, attempts FROM letters")
HURRY = database.Statement("UPDATE letters SET next_try_at = now()")
FORGET = database.Statement("DELETE FROM letters")
OUTBOX = database.Statement("SELECT type FROM outbox WHERE key = %(key)s ORDER BY id")


class Post:
    """Takes letters, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.sent: list[tuple[str, str]] = []
        self.keys: list[str] = []

    async def send(self, user_id: str, _subject: str, text: str, *, key: str) -> bool:
        self.keys.append(key)
        if not self.away:
            self.sent.append((user_id, text.splitlines()[1]))
        return not self.away


class Desk:
    """An account, who proves it, and whoever sends the letters."""

    def __init__(self, db: database.Database, use: proving.Proving, letters: proving.Letters, post: Post) -> None:
        self.db = db
        self.use = use
        self.letters = letters
        self.post = post

    async def posted(self) -> None:
        """One round of the worker."""
        async with self.db.transaction() as transaction:
            claimed = await self.letters.claim(transaction, 100)
        outcomes = [(work, await self.letters.perform(work)) for work in claimed]
        async with self.db.transaction() as transaction:
            await self.letters.settle(transaction, outcomes)

    async def reset_token(self, email: str) -> str:
        await self.use.request_reset(email)
        await self.posted()
        return self.post.sent[-1][1]


@pytest_asyncio.fixture
async def desk(db: database.Database, accounts: usecases.Accounts, hashing: passwords.Passwords, hands: Hands) -> Desk:
    await db.read(FORGET)
    post = Post()
    use = proving.Proving(db, accounts, hashing, now=hands)
    return Desk(db, use, proving.Letters(post, now=hands), post)


async def registered(accounts: usecases.Accounts) -> domain.Session:
    return await accounts.register(domain.Registration(f"ann.{uuid.uuid4().hex}@example.com", PASSWORD, "Ann"))


@pytest_asyncio.fixture
async def ann(accounts: usecases.Accounts) -> domain.Session:
    return await registered(accounts)


async def test_an_address_is_verified_once_and_everybody_hears_of_it(
    desk: Desk, accounts: usecases.Accounts, db: database.Database, ann: domain.Session
) -> None:
    await desk.use.request_verification(ann.user.id)
    await desk.posted()
    [(user_id, token)] = desk.post.sent
    assert user_id == ann.user.id
    await desk.use.verify(token)
    after = await accounts.get(ann.user.id)
    assert (after.email_verified, after.version) == (True, 2)
    assert [kind.rsplit(".", 1)[1] for (kind,) in await db.read(OUTBOX, {"key": user_id})] == [
        "UserRegistered",
        "UserChanged",
    ]
    with pytest.raises(errors.DomainError, match="TOKEN_NOT_VALID"):
        await desk.use.verify(token)
    await desk.use.request_verification(ann.user.id)
    await desk.posted()
    assert len(desk.post.sent) == 1


async def test_a_reset_ends_every_sign_in_and_counts_once(
    desk: Desk, accounts: usecases.Accounts, sessions: usecases.Sessions, ann: domain.Session
) -> None:
    older, token = [await desk.reset_token(ann.user.email.upper()) for _ in range(2)]
    await desk.use.reset(token, NEW)
    with pytest.raises(errors.DomainError, match="REFRESH_TOKEN_INVALID"):
        await sessions.refresh(ann.refresh.text)
    with pytest.raises(errors.DomainError, match="CREDENTIALS_WRONG"):
        await accounts.login(ann.user.email, PASSWORD)
    assert (await accounts.login(ann.user.email, NEW)).user.email_verified
    revoked = {item.subject_id: item.least_version for item in (await sessions.revocations(None)).revocations}
    assert revoked[ann.user.id] == 2
    for used in (older, token):
        with pytest.raises(errors.DomainError, match="TOKEN_NOT_VALID"):
            await desk.use.reset(used, PASSWORD)


async def test_of_two_who_use_a_token_at_once_one_is_refused(desk: Desk, ann: domain.Session) -> None:
    token = await desk.reset_token(ann.user.email)
    both = (desk.use.reset(token, password) for password in (NEW, PASSWORD))
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert [getattr(answer, "reason", None) for answer in answers].count("TOKEN_NOT_VALID") == 1
    assert answers.count(None) == 1


async def test_a_token_expires_and_counts_for_its_purpose_alone(desk: Desk, ann: domain.Session, hands: Hands) -> None:
    token = await desk.reset_token(ann.user.email)
    with pytest.raises(errors.DomainError, match="TOKEN_NOT_VALID"):
        await desk.use.verify(token)
    hands.ahead = timedelta(hours=1, seconds=1)
    with pytest.raises(errors.DomainError, match="TOKEN_NOT_VALID"):
        await desk.use.reset(token, NEW)


async def test_nothing_tells_whether_there_is_an_account(desk: Desk, ann: domain.Session) -> None:
    for email in (ann.user.email, "nobody@example.com", "no address"):
        await desk.use.request_reset(email)
    assert len(await desk.db.read(LETTERS)) == 3
    await desk.posted()
    assert [user_id for user_id, _ in desk.post.sent] == [ann.user.id]
    assert await desk.db.read(LETTERS) == []


async def test_no_token_is_kept(desk: Desk, ann: domain.Session) -> None:
    token = await desk.reset_token(ann.user.email)
    [(letters, kept)] = await desk.db.read(DATABASE)
    assert letters == 0
    assert token not in kept
    assert token.encode().hex() not in kept
    assert token not in repr(proofs.Issued(None, token))  # type: ignore[arg-type]  # whose it is does not matter here


async def test_an_account_gets_so_many_letters_an_hour_and_what_it_got_still_counts(
    desk: Desk, accounts: usecases.Accounts, ann: domain.Session, hands: Hands
) -> None:
    first = await desk.reset_token(ann.user.email)
    for _ in range(proofs.MOST_LETTERS + 3):
        await desk.reset_token(ann.user.email)
    assert len(desk.post.sent) == proofs.MOST_LETTERS
    await desk.use.reset(first, NEW)
    assert (await accounts.login(ann.user.email, NEW)).user.id == ann.user.id
    hands.ahead = proofs.LETTERS_WITHIN + timedelta(seconds=1)
    await desk.reset_token(ann.user.email)
    assert len(desk.post.sent) == proofs.MOST_LETTERS + 1


async def test_a_letter_that_was_not_taken_is_sent_again_with_another_token(desk: Desk, ann: domain.Session) -> None:
    desk.post.away = True
    await desk.use.request_reset(ann.user.email)
    for _ in range(proofs.MOST_LETTERS + 1):
        await desk.posted()
        await desk.db.read(HURRY)
    assert len(set(desk.post.keys)) == proofs.MOST_LETTERS + 1
    desk.post.away = False
    await desk.posted()
    [(_, token)] = desk.post.sent
    await desk.use.reset(token, NEW)
    assert await desk.db.read(LETTERS) == []


async def test_a_letter_that_nobody_takes_is_given_up(desk: Desk, ann: domain.Session, hands: Hands) -> None:
    desk.post.away = True
    await desk.use.request_reset(ann.user.email)
    hands.ahead = timedelta(hours=1, seconds=1)
    await desk.posted()
    assert await desk.db.read(LETTERS) == []


async def test_a_claim_that_died_is_made_again(desk: Desk, ann: domain.Session) -> None:
    await desk.use.request_reset(ann.user.email)
    async with desk.db.transaction() as transaction:
        [lost] = await desk.letters.claim(transaction, 100)
    await desk.posted()
    assert desk.post.sent == []
    await desk.db.read(HURRY)
    await desk.posted()
    [(_, token)] = desk.post.sent
    # Whoever was thought dead and settles late changes nothing, and its letter, if it was sent, counts as well.
    async with desk.db.transaction() as transaction:
        await desk.letters.settle(transaction, [(lost, False)])
    assert lost.token is not None
    assert lost.token != token
    await desk.use.reset(lost.token, NEW)


@pytest.mark.parametrize("does", ["verify", "reset"])
@pytest.mark.parametrize("point", mortal.POINTS)
async def test_a_token_whose_use_died_counts_until_the_change_is_committed(
    desk: Desk, accounts: usecases.Accounts, database_url: str, does: str, point: str
) -> None:
    ann = await registered(accounts)
    if does == "reset":
        token = await desk.reset_token(ann.user.email)
    else:
        await desk.use.request_verification(ann.user.id)
        await desk.posted()
        token = desk.post.sent[-1][1]
    environment = {"DOES": does, "TOKEN": token, "NEW_PASSWORD": NEW, "EMAIL": "", "PASSWORD": ""}
    mortal.dies(process.__name__, database_url, at=point, **environment)
    again = desk.use.verify(token) if does == "verify" else desk.use.reset(token, NEW)
    if point == mortal.WRITTEN:
        await again
    else:
        with pytest.raises(errors.DomainError, match="TOKEN_NOT_VALID"):
            await again
    assert (await accounts.get(ann.user.id)).email_verified
    if does == "reset":
        await accounts.login(ann.user.email, NEW)
