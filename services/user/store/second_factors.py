"""The rows of second factors. Their secrets come and go sealed; of recovery codes there are digests."""

from services.chassis import database
from services.user import domain
from services.user.domain.second_factors import Factor

_COLUMNS = "user_id, secret, create_time, enable_time, used_step, wrong_codes, wrong_since, recovery_digests"
_FIND = database.Statement(f"SELECT {_COLUMNS} FROM second_factors WHERE user_id = %(user_id)s")  # noqa: S608 - names of columns
_LOCK = database.Statement(f"SELECT {_COLUMNS} FROM second_factors WHERE user_id = %(user_id)s FOR UPDATE")  # noqa: S608 - names of columns
# Who switches a factor on or off locks the account to change it: a sign-in sees it as it was or as it is.
_HOLD = database.Statement("""
SELECT 1 FROM users WHERE id = %(user_id)s AND password_hash = %(password_hash)s FOR SHARE
""")
_BEGIN = database.Statement("""
INSERT INTO second_factors (user_id, secret, create_time) VALUES (%(user_id)s, %(secret)s, %(create_time)s)
ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, create_time = excluded.create_time
WHERE second_factors.enable_time IS NULL
RETURNING 1
""")
_WRITE = database.Statement("""
UPDATE second_factors SET enable_time = %(enable_time)s, used_step = %(used_step)s, wrong_codes = %(wrong_codes)s,
  wrong_since = %(wrong_since)s, recovery_digests = %(recovery)s::bytea[]
WHERE user_id = %(user_id)s
""")
_DELETE = database.Statement("DELETE FROM second_factors WHERE user_id = %(user_id)s")


async def find(db: database.Database, user_id: str) -> Factor | None:
    """The second factor of an account, confirmed or not."""
    return _of(await db.read(_FIND, {"user_id": user_id}))


async def hold(transaction: database.Transaction, account: domain.Account) -> bool:
    """Keep an account, and whether it has a second factor, as it is; False when its hash is another by now."""
    row = {"user_id": account.user.id, "password_hash": account.password_hash}
    return bool(await transaction.run(_HOLD, row))


async def lock(transaction: database.Transaction, user_id: str) -> Factor | None:
    """The second factor of an account; after the account itself was locked or held."""
    return _of(await transaction.run(_LOCK, {"user_id": user_id}))


async def begin(transaction: database.Transaction, factor: Factor) -> bool:
    """Write a factor that is not confirmed in place of another such one; False when there is a confirmed one."""
    row = {"user_id": factor.user_id, "secret": factor.secret, "create_time": factor.create_time}
    return bool(await transaction.run(_BEGIN, row))


async def write(transaction: database.Transaction, factor: Factor) -> None:
    """Write a factor that was locked, but for its secret."""
    row = {
        "user_id": factor.user_id,
        "enable_time": factor.enable_time,
        "used_step": factor.used_step,
        "wrong_codes": factor.wrong_codes,
        "wrong_since": factor.wrong_since,
        "recovery": list(factor.recovery),
    }
    await transaction.run(_WRITE, row)


async def delete(transaction: database.Transaction, user_id: str) -> None:
    """Forget a factor."""
    await transaction.run(_DELETE, {"user_id": user_id})


def _of(rows: list[database.Row]) -> Factor | None:
    if not rows:
        return None
    user_id, secret, create_time, enable_time, used_step, wrong_codes, wrong_since, digests = rows[0]
    recovery = tuple(bytes(digest) for digest in digests)
    return Factor(user_id, secret, create_time, enable_time, used_step, wrong_codes, wrong_since, recovery)
