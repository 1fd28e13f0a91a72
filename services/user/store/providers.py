"""The rows of sign-in with other providers: attempts under way, and links. An attempt is found by who has its binding alone."""

from collections.abc import Sequence
from datetime import datetime

from services.chassis import database
from services.user.domain.providers import Answer, Attempt, Identity, Link
from services.user.refresh_tokens import digest

_BEGIN = database.Statement("""
INSERT INTO sign_in_attempts (state_digest, binding_digest, provider, user_id, secrets, create_time, expire_time)
VALUES (%(state_digest)s, %(binding_digest)s, %(provider)s, %(user_id)s, %(secrets)s, %(create_time)s, %(expire_time)s)
""")
_THIS = """
state_digest = %(state)s AND binding_digest = %(binding)s AND provider = %(provider)s
  AND user_id IS NOT DISTINCT FROM %(user_id)s::uuid AND expire_time > %(now)s
"""
_FIND = database.Statement(f"""
SELECT secrets, subject, email, email_verified, name FROM sign_in_attempts WHERE {_THIS}
""")  # noqa: S608 - a condition of ours
# The update is the claim: of two that come back with one answer at the same moment one asks the provider.
_CLAIM = database.Statement(f"""
UPDATE sign_in_attempts SET use_time = %(now)s WHERE {_THIS} AND use_time IS NULL RETURNING 1
""")  # noqa: S608 - a condition of ours
_RELEASE = database.Statement("""
UPDATE sign_in_attempts SET use_time = NULL WHERE state_digest = %(state)s AND subject IS NULL
""")
_PROVE = database.Statement("""
UPDATE sign_in_attempts SET subject = %(subject)s, email = %(email)s, email_verified = %(email_verified)s, name = %(name)s
WHERE state_digest = %(state)s AND subject IS NULL
""")
_LOCK = database.Statement(f"SELECT 1 FROM sign_in_attempts WHERE {_THIS} FOR UPDATE")  # noqa: S608 - a condition of ours
_END = database.Statement("DELETE FROM sign_in_attempts WHERE state_digest = %(state)s")
_OWNER = database.Statement("""
SELECT user_id FROM sign_in_links WHERE provider = %(provider)s AND subject = %(subject)s
""")
_LINK = database.Statement("""
INSERT INTO sign_in_links (provider, subject, user_id, email, create_time)
VALUES (%(provider)s, %(subject)s, %(user_id)s, %(email)s, %(create_time)s)
ON CONFLICT DO NOTHING RETURNING 1
""")
_LINKS = database.Statement("""
SELECT provider, subject, user_id, email, create_time FROM sign_in_links WHERE user_id = %(user_id)s ORDER BY provider
""")
_UNLINK = database.Statement("""
DELETE FROM sign_in_links WHERE user_id = %(user_id)s AND provider = %(provider)s
""")


async def begin(db: database.Database, attempt: Attempt) -> None:
    """Write an attempt."""
    names = ("state_digest", "binding_digest", "provider", "user_id", "secrets", "create_time", "expire_time")
    await db.read(_BEGIN, {name: getattr(attempt, name) for name in names})


async def find(
    db: database.Database, answer: Answer, user_id: str | None, now: datetime
) -> tuple[str, Identity | None] | None:
    """The sealed secrets of the attempt that this answers, and who came back, when that is known already."""
    rows = await db.read(_FIND, _of(answer, user_id, now))
    if not rows:
        return None
    secrets, subject, *said = rows[0]
    return secrets, None if subject is None else Identity(subject, *said)


async def claim(db: database.Database, answer: Answer, user_id: str | None, now: datetime) -> bool:
    """Make the answer this call's; False when another has it, or there is no such attempt."""
    return bool(await db.read(_CLAIM, _of(answer, user_id, now)))


async def release(db: database.Database, answer: Answer) -> None:
    """Let the answer be sent again."""
    await db.read(_RELEASE, {"state": digest(answer.state)})


async def prove(db: database.Database, answer: Answer, identity: Identity) -> None:
    """Note who came back, once: the provider takes its code once."""
    said = {name: getattr(identity, name) for name in ("subject", "email", "email_verified", "name")}
    await db.read(_PROVE, {"state": digest(answer.state), **said})


async def lock(transaction: database.Transaction, answer: Answer, user_id: str | None, now: datetime) -> bool:
    """Keep an attempt for this transaction; False when it ended."""
    return bool(await transaction.run(_LOCK, _of(answer, user_id, now)))


async def end(transaction: database.Transaction, answer: Answer) -> None:
    """Forget an attempt: its answer counts no more."""
    await transaction.run(_END, {"state": digest(answer.state)})


async def owner(on: database.Transaction | database.Database, provider: str, subject: str) -> str | None:
    """Whose account an account of a provider opens."""
    run = on.run if isinstance(on, database.Transaction) else on.read
    rows = await run(_OWNER, {"provider": provider, "subject": subject})
    return rows[0][0] if rows else None


async def link(transaction: database.Transaction, new: Link) -> bool:
    """Write a link; False when the provider's account opens one already, or the account has one of the provider."""
    names = ("provider", "subject", "user_id", "email", "create_time")
    return bool(await transaction.run(_LINK, {name: getattr(new, name) for name in names}))


async def links(on: database.Transaction | database.Database, user_id: str) -> Sequence[Link]:
    """Somebody's links, by their providers."""
    run = on.run if isinstance(on, database.Transaction) else on.read
    return [Link(*row) for row in await run(_LINKS, {"user_id": user_id})]


async def unlink(transaction: database.Transaction, user_id: str, provider: str) -> None:
    """Delete a link, if it is there."""
    await transaction.run(_UNLINK, {"user_id": user_id, "provider": provider})


def _of(answer: Answer, user_id: str | None, now: datetime) -> dict[str, object]:
    digests = {"state": digest(answer.state), "binding": digest(answer.binding)}
    return {**digests, "provider": answer.provider, "user_id": user_id, "now": now}
