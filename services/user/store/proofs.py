"""The rows of letters to be sent, and of the proofs in them: of a token only its digest is kept."""

from collections.abc import Sequence
from datetime import datetime

from services.chassis import database, postponed
from services.user.domain import proofs

_ADD = database.Statement("""
INSERT INTO letters (id, purpose, email, create_time) VALUES (%(id)s, %(purpose)s, %(email)s, %(create_time)s)
""")
# Whom a letter is for is asked when it is sent, so that asking for one takes as long for an address without an account.
_CLAIM = database.Statement("""
WITH due AS MATERIALIZED (
  SELECT id FROM letters WHERE next_try_at <= statement_timestamp()
  ORDER BY next_try_at LIMIT %(most)s FOR UPDATE SKIP LOCKED),
claimed AS (
  UPDATE letters AS l SET epoch = l.epoch + 1, attempts = l.attempts + 1,
    next_try_at = clock_timestamp() + make_interval(secs => %(lease)s::float8)
  FROM due WHERE l.id = due.id RETURNING l.*)
SELECT c.id, c.purpose, c.email, c.create_time, c.attempts, c.epoch, u.id
FROM claimed AS c LEFT JOIN users AS u ON u.email = c.email AND NOT (c.purpose = 'VERIFY' AND u.email_verified)
  AND (SELECT count(DISTINCT p.letter_id) FROM proofs AS p WHERE p.user_id = u.id AND p.purpose = c.purpose
       AND p.create_time > %(since)s AND p.letter_id <> c.id) < %(letters)s
ORDER BY c.id
""")
_NAMES = ("digest", "letter_id", "user_id", "purpose", "email", "create_time", "expire_time")
_KEEP = database.Statement(f"""
INSERT INTO proofs ({", ".join(_NAMES)})
SELECT * FROM unnest(%(digest)s::bytea[], %(letter_id)s::uuid[], %(user_id)s::uuid[], %(purpose)s::text[], %(email)s::text[],
  %(create_time)s::timestamptz[], %(expire_time)s::timestamptz[])
""")  # noqa: S608 - names of columns
_DONE = database.Statement("""
DELETE FROM letters AS l USING unnest(%(id)s::uuid[], %(epoch)s::bigint[]) AS g(id, epoch)
WHERE l.id = g.id AND l.epoch = g.epoch
""")
_POSTPONE = postponed.statement("letters")
_FIND = database.Statement("""
SELECT user_id FROM proofs
WHERE digest = %(digest)s AND purpose = %(purpose)s AND use_time IS NULL AND expire_time > %(now)s
""")
# The update is the claim: of two that use a token at the same moment one waits, and finds it used.
_USE = database.Statement("""
UPDATE proofs SET use_time = %(now)s
WHERE digest = %(digest)s AND purpose = %(purpose)s AND use_time IS NULL AND expire_time > %(now)s
RETURNING user_id, email
""")
_USE_OTHERS = database.Statement("""
UPDATE proofs SET use_time = %(now)s WHERE user_id = %(user_id)s AND purpose = %(purpose)s AND use_time IS NULL
""")


async def add_letter(transaction: database.Transaction, letter: proofs.Letter) -> None:
    """Note that a letter is to be sent."""
    row = {"id": letter.id, "purpose": letter.purpose, "email": letter.email, "create_time": letter.create_time}
    await transaction.run(_ADD, row)


async def claim(
    transaction: database.Transaction, now: datetime, *, most: int, lease_s: float
) -> Sequence[proofs.Claimed]:
    """Lease letters that are due, and say whom they are for."""
    limits = {"since": now - proofs.LETTERS_WITHIN, "letters": proofs.MOST_LETTERS}
    rows = await transaction.run(_CLAIM, {"most": most, "lease": lease_s, **limits})
    return [
        proofs.Claimed(proofs.Letter(row[0], proofs.Purpose(row[1]), row[2], row[3]), row[4], row[5], row[6])
        for row in rows
    ]


async def keep(transaction: database.Transaction, kept: Sequence[proofs.Proof]) -> None:
    """Write proofs."""
    if kept:
        await transaction.run(_KEEP, database.columns(kept, *_NAMES))


async def settle(
    transaction: database.Transaction, done: Sequence[proofs.Claimed], later: Sequence[postponed.Postponed]
) -> None:
    """Forget letters that were sent, and make others due again, where they are still ours."""
    if done:
        given = {"id": [item.letter.id for item in done], "epoch": [item.epoch for item in done]}
        await transaction.run(_DONE, given)
    await postponed.write(transaction, _POSTPONE, later)


async def find(db: database.Database, digest: bytes, purpose: proofs.Purpose, now: datetime) -> str | None:
    """Whose proof this is, if it counts."""
    rows = await db.read(_FIND, {"digest": digest, "purpose": purpose, "now": now})
    return rows[0][0] if rows else None


async def use(
    transaction: database.Transaction, digest: bytes, purpose: proofs.Purpose, now: datetime
) -> tuple[str, str] | None:
    """Use a proof up, if it counts: whose it is, and the address that it was sent to."""
    rows = await transaction.run(_USE, {"digest": digest, "purpose": purpose, "now": now})
    return (rows[0][0], rows[0][1]) if rows else None


async def use_others(transaction: database.Transaction, user_id: str, purpose: proofs.Purpose, now: datetime) -> None:
    """Use all proofs of an account up."""
    await transaction.run(_USE_OTHERS, {"user_id": user_id, "purpose": purpose, "now": now})
