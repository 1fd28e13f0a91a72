"""The rows of sign-ins, their refresh tokens, and the access tokens that were revoked."""

from dataclasses import dataclass
from datetime import datetime

from services.chassis import database
from services.user import domain
from services.user.store.accounts import user_of

_ROWS_AT_ONCE = 5000
# Only for who still has the password that was compared: the lock makes a change of it wait, and then find this family.
_OPEN_FAMILY = database.Statement("""
INSERT INTO token_families (id, user_id, create_time, expire_time, address, user_agent, network)
SELECT %(family_id)s, id, %(now)s, %(expire_time)s, %(address)s, %(user_agent)s, %(network)s FROM users
WHERE id = %(user_id)s AND password_hash = %(password_hash)s FOR SHARE
RETURNING id
""")
_INSERT_TOKEN = database.Statement("""
INSERT INTO refresh_tokens (digest, family_id, expire_time) VALUES (%(digest)s, %(family_id)s, %(expire_time)s)
""")
# Both rows: who waited for another exchange of the same token must see that it is used.
_LOCK_TOKEN = database.Statement("""
SELECT t.family_id, t.expire_time, t.use_time, f.revoke_time IS NOT NULL,
  u.id, u.email, u.display_name, u.roles, u.create_time, u.version, u.email_verified
FROM refresh_tokens AS t JOIN token_families AS f ON f.id = t.family_id JOIN users AS u ON u.id = f.user_id
WHERE t.digest = %(digest)s FOR UPDATE OF f, t
""")
_EXCHANGE = database.Statement("""
WITH used AS (UPDATE refresh_tokens SET use_time = coalesce(use_time, %(now)s) WHERE digest = %(old)s),
  longer AS (UPDATE token_families SET expire_time = %(expire_time)s, use_time = %(now)s WHERE id = %(family_id)s)
INSERT INTO refresh_tokens (digest, family_id, expire_time) VALUES (%(digest)s, %(family_id)s, %(expire_time)s)
""")
# Told once, when it is revoked. The database's clock says when: readers ask for what is new by it.
_REVOKE_FAMILY = database.Statement("""
WITH revoked AS (
  UPDATE token_families SET revoke_time = %(now)s
  WHERE id = (SELECT family_id FROM refresh_tokens WHERE digest = %(digest)s) AND revoke_time IS NULL
  RETURNING id
)
INSERT INTO revocations (subject_id, revoke_time, expire_time)
SELECT id, clock_timestamp(), %(expire_time)s FROM revoked
ON CONFLICT DO NOTHING
""")
_END_FAMILY = database.Statement("""
WITH revoked AS (
  UPDATE token_families SET revoke_time = %(now)s
  WHERE id = %(family_id)s AND user_id = %(user_id)s AND revoke_time IS NULL
  RETURNING id
)
INSERT INTO revocations (subject_id, revoke_time, expire_time)
SELECT id, clock_timestamp(), %(expire_time)s FROM revoked
ON CONFLICT DO NOTHING
""")
_END_OTHERS = database.Statement("""
WITH revoked AS (
  UPDATE token_families SET revoke_time = %(now)s
  WHERE user_id = %(user_id)s AND id IS DISTINCT FROM %(kept)s::uuid AND revoke_time IS NULL
  RETURNING id
)
INSERT INTO revocations (subject_id, revoke_time, expire_time)
SELECT id, clock_timestamp(), %(expire_time)s FROM revoked
ON CONFLICT DO NOTHING
""")
_FAMILIES = database.Statement("""
SELECT id, create_time, coalesce(use_time, create_time), expire_time, address, user_agent FROM token_families
WHERE user_id = %(user_id)s AND revoke_time IS NULL AND expire_time > %(now)s ORDER BY id DESC LIMIT 100
""")
_REVOKE_ACCESS = database.Statement("""
INSERT INTO revocations (subject_id, least_version, revoke_time, expire_time)
VALUES (%(user_id)s, %(least_version)s, clock_timestamp(), %(expire_time)s)
ON CONFLICT (subject_id) DO UPDATE SET least_version = greatest(revocations.least_version, excluded.least_version),
  revoke_time = excluded.revoke_time, expire_time = greatest(revocations.expire_time, excluded.expire_time)
""")
# The clock is that of before the rows are read: what is committed later is found by who looks back from there.
_REVOCATIONS = database.Statement("""
SELECT statement_timestamp(), found.* FROM (SELECT) AS always LEFT JOIN (
  SELECT subject_id, least_version, revoke_time, expire_time FROM revocations
  WHERE revoke_time > %(since)s AND expire_time > %(now)s ORDER BY revoke_time LIMIT %(most)s) AS found ON true
ORDER BY found.revoke_time
""")
_REVOKE_ALL = database.Statement("""
UPDATE token_families SET revoke_time = %(now)s WHERE user_id = %(user_id)s AND revoke_time IS NULL
""")
# The newest token of a family ends when the family does.
_PURGE_FAMILIES = database.Statement("""
DELETE FROM token_families WHERE id IN (SELECT id FROM token_families WHERE expire_time < %(now)s LIMIT %(most)s)
RETURNING 1
""")
_PURGE_REVOCATIONS = database.Statement("""
DELETE FROM revocations WHERE subject_id IN (
  SELECT subject_id FROM revocations WHERE expire_time < %(now)s LIMIT %(most)s
)
RETURNING 1
""")
_PURGE_PROOFS = database.Statement("""
DELETE FROM proofs WHERE digest IN (SELECT digest FROM proofs WHERE expire_time < %(now)s LIMIT %(most)s)
RETURNING 1
""")
_PURGE_ATTEMPTS = database.Statement("""
DELETE FROM sign_in_attempts WHERE state_digest IN (
  SELECT state_digest FROM sign_in_attempts WHERE expire_time < %(now)s LIMIT %(most)s
)
RETURNING 1
""")
# Those that somebody counts on at this moment are left for the next time.
_PURGE_FAILURES = database.Statement("""
DELETE FROM sign_in_failures WHERE key IN (
  SELECT key FROM sign_in_failures WHERE expire_time < %(now)s LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING 1
""")
_PURGE_TOKENS = database.Statement("""
DELETE FROM refresh_tokens WHERE digest IN (SELECT digest FROM refresh_tokens WHERE expire_time < %(now)s LIMIT %(most)s)
RETURNING 1
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A refresh token and whose it is."""

    token: domain.HeldToken
    user: domain.User


async def open_family(
    transaction: database.Transaction,
    sign_in: domain.SignIn,
    account: domain.Account,
    *,
    origin: domain.Origin,
    now: datetime,
) -> bool:
    """Write a sign-in with its first token; False when the account's hash is another by now."""
    family_id, token = sign_in.family_id, sign_in.token
    family = {
        "family_id": family_id,
        "user_id": account.user.id,
        "password_hash": account.password_hash,
        "now": now,
        "expire_time": token.expire_time,
        "address": origin.address,
        "user_agent": origin.user_agent,
        "network": origin.network,
    }
    if not await transaction.run(_OPEN_FAMILY, family):
        return False
    first = {"digest": token.digest, "family_id": family_id, "expire_time": token.expire_time}
    await transaction.run(_INSERT_TOKEN, first)
    return True


async def lock_token(transaction: database.Transaction, digest: bytes) -> Held | None:
    """The token with this digest; neither it nor its family changes until the transaction ends."""
    rows = await transaction.run(_LOCK_TOKEN, {"digest": digest})
    if not rows:
        return None
    family_id, expire_time, use_time, revoked = rows[0][:4]
    return Held(domain.HeldToken(digest, family_id, expire_time, use_time, revoked), user_of(rows[0][4:]))


async def exchange(
    transaction: database.Transaction, old: domain.HeldToken, new: domain.RefreshToken, now: datetime
) -> None:
    """Use up a token that was locked, and write the next of its family."""
    row = {"digest": new.digest, "family_id": old.family_id, "expire_time": new.expire_time}
    await transaction.run(_EXCHANGE, {"old": old.digest, "now": now, **row})


async def revoke_family(
    transaction: database.Transaction, digest: bytes, now: datetime, *, expire_time: datetime
) -> None:
    """Revoke the sign-in that this token belongs to, if there is one: the last of its access tokens expires then."""
    await transaction.run(_REVOKE_FAMILY, {"digest": digest, "now": now, "expire_time": expire_time})


async def end_family(
    transaction: database.Transaction, user_id: str, family_id: str, *, now: datetime, expire_time: datetime
) -> None:
    """Revoke a sign-in of this account, if it is there: the last of its access tokens expires then."""
    row = {"user_id": user_id, "family_id": family_id, "now": now, "expire_time": expire_time}
    await transaction.run(_END_FAMILY, row)


async def end_others(
    transaction: database.Transaction, user_id: str, kept: str | None, *, now: datetime, expire_time: datetime
) -> None:
    """Revoke all sign-ins of this account but one: the last of their access tokens expires then."""
    await transaction.run(_END_OTHERS, {"user_id": user_id, "kept": kept, "now": now, "expire_time": expire_time})


async def families(db: database.Database, user_id: str, now: datetime) -> list[domain.SignInShown]:
    """The sign-ins of an account that have not ended, the newest first, at most 100."""
    rows = await db.read(_FAMILIES, {"user_id": user_id, "now": now})
    return [_shown(row) for row in rows]


async def revoke_access(transaction: database.Transaction, user: domain.User, *, expire_time: datetime) -> None:
    """Revoke the access tokens that are older than this version of the account: the last of them expires then."""
    row = {"user_id": user.id, "least_version": user.version, "expire_time": expire_time}
    await transaction.run(_REVOKE_ACCESS, row)


async def revocations(
    db: database.Database, since: datetime, now: datetime, *, most: int
) -> tuple[datetime, list[domain.Revocation]]:
    """What was revoked after `since` and has not expired, oldest first, at most so many; and when that was looked at.

    Both times are by the database's clock.
    """
    rows = await db.read(_REVOCATIONS, {"since": since, "now": now, "most": most})
    return rows[0][0], [domain.Revocation(*row) for _, *row in rows if row[0] is not None]


async def revoke_all(transaction: database.Transaction, user_id: str, now: datetime) -> None:
    """End all sign-ins of an account."""
    await transaction.run(_REVOKE_ALL, {"user_id": user_id, "now": now})


async def purge(db: database.Database, now: datetime) -> int:
    """Delete up to some thousand rows of each kind that expired: how many."""
    limits = {"now": now, "most": _ROWS_AT_ONCE}
    sign_ins = (_PURGE_FAMILIES, _PURGE_TOKENS, _PURGE_REVOCATIONS)
    statements = (*sign_ins, _PURGE_PROOFS, _PURGE_ATTEMPTS, _PURGE_FAILURES)
    return sum([len(await db.read(statement, limits)) for statement in statements])


def _shown(row: database.Row) -> domain.SignInShown:
    family_id, create_time, use_time, expire_time, address, user_agent = row
    origin = domain.Origin(address, user_agent)
    return domain.SignInShown(family_id, create_time, use_time, expire_time, origin)
