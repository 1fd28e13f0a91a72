"""What an account is: values and facts, without any I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis import errors


class Role(StrEnum):
    """What a person may do. The words are those of the contract, of SQL and of the tokens."""

    CUSTOMER = "CUSTOMER"
    VENDOR = "VENDOR"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class User:
    """An account: who logs in with the address `email`, and what they may do."""

    id: str
    email: str
    display_name: str
    roles: tuple[Role, ...]
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the hash of the password. Nothing but the comparison sees the hash."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody says who wants an account. The password is in the clear, and never in a repr."""

    email: str
    password: str
    display_name: str

    def __repr__(self) -> str:
        return f"Registration(email={self.email!r}, display_name={self.display_name!r})"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in account: the token that says so, and when it ends."""

    access_token: str
    expire_time: datetime
    user: User


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point on the curve P-256 that verifies tokens; x and y are base64url, as RFC 7518 writes them."""

    id: str
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class UserRegistered:
    """An account was made."""

    user: User


def address(email: str) -> str:
    """The form in which addresses are kept and compared: without case and outer spaces."""
    return email.strip().lower()


def email_taken() -> errors.DomainError:
    """Somebody has an account with this address."""
    return errors.DomainError(errors.Kind.ALREADY_EXISTS, "EMAIL_TAKEN", "there is an account with this address")


def credentials_wrong() -> errors.DomainError:
    """The address, or the password: which of them is not said."""
    return errors.DomainError(errors.Kind.UNAUTHENTICATED, "CREDENTIALS_WRONG", "address or password is wrong")
