"""A user service that kills itself at one line (DIE_AT) of one use case (DOES)."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.chassis import clock
from services.user import domain, events, passwords, usecases
from services.user.usecases import proving
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


async def _do() -> None:
    email, password = os.environ["EMAIL"], os.environ["PASSWORD"]
    async with mortal.opened_mortal(events.PUBLISHED) as db:
        sessions = usecases.Sessions(db, MortalSigner(), timedelta(days=1), now=clock.utc_now)
        accounts = usecases.Accounts(db, passwords.Passwords(), sessions, now=clock.utc_now)
        match os.environ["DOES"]:
            case "register":
                await accounts.register(domain.Registration(email, password, "Ann"))
            case "login":
                await accounts.login(email, password)
            case "admin":
                await accounts.ensure_admin(email, password)
            case "refresh":
                await sessions.refresh(os.environ["TOKEN"])
            case "update":
                change = domain.ProfileChange("Anna", password, os.environ["NEW_PASSWORD"])
                await accounts.update(os.environ["USER_ID"], change)
            case "verify" | "reset":
                proving_at = proving.Proving(db, accounts, passwords.Passwords(), now=clock.utc_now)
                if os.environ["DOES"] == "verify":
                    await proving_at.verify(os.environ["TOKEN"])
                else:
                    await proving_at.reset(os.environ["TOKEN"], os.environ["NEW_PASSWORD"])
            case "erase":
                await accounts.erase(os.environ["USER_ID"], password)
            case "roles":
                await accounts.set_roles(os.environ["USER_ID"], [domain.Role.VENDOR], admin_id=os.environ["ADMIN_ID"])


if __name__ == "__main__":
    asyncio.run(_do())
