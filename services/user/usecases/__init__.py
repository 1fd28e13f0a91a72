"""What can be done with accounts, one module for each thing.

`accounts`, `sessions`, `belongings`, `vendors`, `proving`, `providers`, `second_factors`, and `codes` and `throttling`,
which a login needs.

An account and the event that tells of it are one transaction, and so are a sign-in and the account it begins with. If the
process dies before the commit nothing happened; if it dies after it, the account is there and the relay of whoever starts
next publishes the event: the caller who got no answer logs in.
"""

from dataclasses import dataclass

from services.chassis import clock, database
from services.user.usecases import belongings, providers, proving, second_factors, vendors
from services.user.usecases.accounts import ADMIN_NAME, LOGIN_TRIES, Accounts, Passwords
from services.user.usecases.sessions import CLOCKS_APART, COMMITTED_WITHIN, REVOCATIONS_AT_ONCE, Sessions, Signer

SERVICE = "user"

__all__ = [
    "ADMIN_NAME",
    "CLOCKS_APART",
    "COMMITTED_WITHIN",
    "LOGIN_TRIES",
    "REVOCATIONS_AT_ONCE",
    "SERVICE",
    "Accounts",
    "Passwords",
    "Sessions",
    "Signer",
    "Users",
    "users",
]


@dataclass(frozen=True, slots=True)
class Users:
    """The use cases of the user service, all on one database."""

    accounts: Accounts
    sessions: Sessions
    addresses: belongings.AddressBook
    wallet: belongings.Wallet
    preferences: belongings.Preferences
    proving: proving.Proving
    second_factors: second_factors.SecondFactors
    providers: providers.SignInProviders
    vendors: vendors.Applications


def users(
    db: database.Database, accounts: Accounts, sessions: Sessions, passwords: Passwords, *, now: clock.Clock
) -> Users:
    """The use cases on this database."""
    return Users(
        accounts,
        sessions,
        belongings.AddressBook(db, now=now),
        belongings.Wallet(db, now=now),
        belongings.Preferences(db),
        proving.Proving(db, accounts, passwords, now=now),
        second_factors.SecondFactors(db, accounts, sessions, now=now),
        providers.SignInProviders(db, accounts, sessions, now=now),
        vendors.Applications(db, accounts, now=now),
    )
