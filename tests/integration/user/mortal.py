"""A user service that kills itself at one line (DIE_AT) of one use case (DOES)."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.chassis import clock, database
from services.user import domain, events, passwords, sealing, usecases
from services.user.domain import providers as rules
from services.user.domain import vendors
from services.user.usecases import providers, proving, second_factors
from tests.support import mortal

COMPARING = "comparing"  # a try to sign in is counted, and its password not yet compared
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


class MortalPasswords(passwords.Passwords):
    """Dies instead of comparing, when it is to."""

    async def compare(self, password: str, hashed: str | None) -> domain.Match:
        if os.environ["DIE_AT"] == COMPARING:
            mortal.die()
        return await super().compare(password, hashed)


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


class Acme:
    """A provider that knows Ann: what it is asked is in memory, for the process dies before or after its answer is noted."""

    def names(self) -> Sequence[str]:
        return ["acme"]

    async def address(self, _: str, begun: rules.Begun) -> str:
        return begun.state

    async def identity(self, _answer: rules.Answer, _: rules.Begun) -> rules.Identity:
        return rules.Identity("ann", os.environ["EMAIL"], email_verified=True)


async def _link(db: database.Database, accounts: usecases.Accounts, sessions: usecases.Sessions) -> None:
    """End a sign-in with a provider."""
    use = providers.SignInProviders(db, accounts, sessions, now=clock.utc_now)
    use.openid = Acme()
    answer = rules.Answer("acme", os.environ["STATE"], "a code", os.environ["BINDING"])
    await use.complete(answer, domain.NOWHERE)


async def _prove(db: database.Database, accounts: usecases.Accounts) -> None:
    """Use a token of a letter."""
    use = proving.Proving(db, accounts, passwords.Passwords(), now=clock.utc_now)
    if os.environ["DOES"] == "verify":
        await use.verify(os.environ["TOKEN"])
    else:
        await use.reset(os.environ["TOKEN"], os.environ["NEW_PASSWORD"])


async def _give_role(db: database.Database, accounts: usecases.Accounts) -> None:
    """Make somebody a vendor, with an application or without."""
    admin_id = os.environ["ADMIN_ID"]
    if os.environ["DOES"] == "roles":
        await accounts.set_roles(os.environ["USER_ID"], [domain.Role.VENDOR], admin_id=admin_id)
    else:
        decision = vendors.Decision(os.environ["APPLICATION_ID"], admin_id, vendors.State.APPROVED, "sells tea")
        await usecases.vendors.Applications(db, accounts, now=clock.utc_now).decide(decision)


async def _do() -> None:
    email, password = os.environ["EMAIL"], os.environ["PASSWORD"]
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        sessions = usecases.Sessions(db, MortalSigner(), timedelta(days=1), now=clock.utc_now)
        accounts = usecases.Accounts(db, MortalPasswords(), sessions, now=clock.utc_now)
        match os.environ["DOES"]:
            case "register":
                await accounts.register(domain.Registration(email, password, "Ann"))
            case "login":
                origin = domain.Origin(os.environ.get("ADDRESS", ""))
                await accounts.login(email, password, code=os.environ.get("CODE", ""), origin=origin)
            case "admin":
                await accounts.ensure_admin(email, password)
            case "refresh":
                await sessions.refresh(os.environ["TOKEN"])
            case "update":
                change = domain.ProfileChange("Anna", password, os.environ["NEW_PASSWORD"])
                await accounts.update(os.environ["USER_ID"], change)
            case "verify" | "reset":
                await _prove(db, accounts)
            case "link" | "confirm":
                await (_confirm(db) if os.environ["DOES"] == "confirm" else _link(db, accounts, sessions))
            case "erase":
                await accounts.erase(os.environ["USER_ID"], password)
            case "roles" | "approve":
                await _give_role(db, accounts)


if __name__ == "__main__":
    asyncio.run(_do())
