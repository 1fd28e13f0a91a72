"""A user service that kills itself at one line (DIE_AT) of one use case (DOES)."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.chassis import clock, database
from services.user import domain, events, passwords, sealing, usecases
from services.user.usecases import proving, second_factors
from tests.support import mortal

SIGNING = "signing"  # everything is committed, and the answer is not yet made


class MortalSigner:
    """Signs nothing: whoever comes this far dies."""

    @property
    def lifetime(self) -> timedelta:
        return timedelta(minutes=15)

    @property
    def public_keys(self) -> Sequence[domain.PublicKey]:
        return ()

    def sign(self, _user: domain.User, _family_id: str, _now: datetime) -> domain.Access:
        mortal.die()


class MortalSessions(usecases.Sessions):
    """Ends sign-ins, as the last that a transaction does, and dies: before it is committed or after."""

    async def end_others(self, transaction: database.Transaction, user_id: str, kept: str) -> None:
        await super().end_others(transaction, user_id, kept)
        if os.environ["DIE_AT"] == mortal.WRITTEN:
            mortal.die()
        transaction.after_commit(mortal.die)


async def _confirm(db: database.Database) -> None:
    """Switch a second factor on."""
    sessions = MortalSessions(db, MortalSigner(), timedelta(days=1), now=clock.utc_now)
    seal = sealing.of_folder(Path(os.environ["SEAL_DIR"]))
    accounts = usecases.Accounts(db, passwords.Passwords(), sessions, now=clock.utc_now, seal=seal)
    use = second_factors.SecondFactors(db, accounts, sessions, now=clock.utc_now)
    await use.confirm(second_factors.Owner(os.environ["USER_ID"], code=os.environ["CODE"]))


async def _prove(db: database.Database, accounts: usecases.Accounts) -> None:
    """Use a token of a letter."""
    use = proving.Proving(db, accounts, passwords.Passwords(), now=clock.utc_now)
    if os.environ["DOES"] == "verify":
        await use.verify(os.environ["TOKEN"])
    else:
        await use.reset(os.environ["TOKEN"], os.environ["NEW_PASSWORD"])


async def _do() -> None:
    email, password = os.environ["EMAIL"], os.environ["PASSWORD"]
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        sessions = usecases.Sessions(db, MortalSigner(), timedelta(days=1), now=clock.utc_now)
        accounts = usecases.Accounts(db, passwords.Passwords(), sessions, now=clock.utc_now)
        match os.environ["DOES"]:
            case "register":
                await accounts.register(domain.Registration(email, password, "Ann"))
            case "login":
                await accounts.login(email, password, code=os.environ.get("CODE", ""))
            case "admin":
                await accounts.ensure_admin(email, password)
            case "refresh":
                await sessions.refresh(os.environ["TOKEN"])
            case "update":
                change = domain.ProfileChange("Anna", password, os.environ["NEW_PASSWORD"])
                await accounts.update(os.environ["USER_ID"], change)
            case "verify" | "reset":
                await _prove(db, accounts)
            case "confirm":
                await _confirm(db)
            case "erase":
                await accounts.erase(os.environ["USER_ID"], password)
            case "roles":
                await accounts.set_roles(os.environ["USER_ID"], [domain.Role.VENDOR], admin_id=os.environ["ADMIN_ID"])


if __name__ == "__main__":
    asyncio.run(_do())
