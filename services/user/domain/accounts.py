"""What an account is: values and facts, without any I/O."""

import dataclasses
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto

from services.chassis import errors, mail_address

# As the contract says; looked at again when a password is in the form that is kept.
SHORTEST_PASSWORD = 12


class Role(StrEnum):
    """What a person may do. The words are those of the contract, of SQL and of the tokens."""

    CUSTOMER = "CUSTOMER"
    VENDOR = "VENDOR"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class User:
    """An account: who logs in with the address `email`, and what they may do. version counts its changes, from 1."""

    id: str
    email: str
    display_name: str
    roles: tuple[Role, ...]
    create_time: datetime
    version: int = 1
    # Whether its owner has proved to read mail at the address.
    email_verified: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the hash of the password. Nothing but the comparison sees the hash."""

    user: User
    password_hash: str = field(repr=False)


class Match(Enum):
    """Whether a password is the one that a hash was made from."""

    NONE = auto()
    YES = auto()
    AS_TYPED = auto()  # it is, as it was typed: the hash is from before passwords were normalised


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody says who wants an account. The password is in the clear, and never in a repr."""

    email: str
    password: str
    display_name: str
    # Where the call comes from, and what made it; empty: unknown.
    address: str = ""
    user_agent: str = ""

    def __repr__(self) -> str:
        return f"Registration(email={self.email!r}, display_name={self.display_name!r})"


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """A change of somebody's own account; None is what stays. No password is in a repr."""

    display_name: str | None = None
    current_password: str = field(default="", repr=False)
    new_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RoleChange:
    """That an administrator changed somebody's roles, and why."""

    id: str
    user_id: str
    admin_id: str
    before: tuple[Role, ...]
    after: tuple[Role, ...]
    reason: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class UserRegistered:
    """An account was made."""

    user: User


@dataclass(frozen=True, slots=True)
class UserChanged:
    """The name, the roles or the password of an account changed: as it is now."""

    user: User


@dataclass(frozen=True, slots=True)
class UserErased:
    """An account was erased. version is the one after its last change."""

    user_id: str
    version: int
    erase_time: datetime


def changed(
    user: User, *, display_name: str | None = None, roles: Sequence[Role] | None = None, email_verified: bool = False
) -> User:
    """The account with another name or other roles, in the order of `Role`, or with a verified address.

    It is the same one when nothing is different.
    """
    name = user.display_name if display_name is None else display_name
    kept = user.roles if roles is None else tuple(role for role in Role if role in roles)
    verified = user.email_verified or email_verified
    if (name, set(kept), verified) == (user.display_name, set(user.roles), user.email_verified):
        return user
    version = user.version + 1
    return dataclasses.replace(user, display_name=name, roles=kept, version=version, email_verified=verified)


def revised(old: Account, new: Account) -> Account:
    """The account to write in place of the old one: a new password counts as a change of the account, like a new name."""
    if new.password_hash == old.password_hash or new.user.version != old.user.version:
        return new
    return dataclasses.replace(new, user=dataclasses.replace(new.user, version=old.user.version + 1))


def loses(old: Account, new: Account) -> bool:
    """Whether access tokens of the old account allow what the new one does not: a role, or anything, without its password."""
    return new.password_hash != old.password_hash or not set(old.user.roles) <= set(new.user.roles)


def address(email: str) -> str:
    """The form in which addresses are kept and compared; what cannot be kept is nobody's address."""
    composed = unicodedata.normalize("NFC", email)
    try:
        return mail_address.kept(composed)
    except ValueError:
        return composed.strip().lower()


def new_address(email: str) -> str:
    """The form in which a new account's address is kept. Raises EMAIL_INVALID when mail cannot be sent to its domain."""
    try:
        return mail_address.kept(unicodedata.normalize("NFC", email))
    except ValueError as error:
        said = "the domain of the address is not a valid internationalised domain name"
        raise errors.invalid("EMAIL_INVALID", said, errors.Violation("email", said, "EMAIL_INVALID")) from error


def opaque(password: str) -> str:
    """A password in the form that is hashed: all spaces are U+0020, and letters are composed (RFC 8265, section 4.2)."""
    spaces = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return unicodedata.normalize("NFC", spaces)


def check_password(field: str, password: str) -> None:
    """Raise REQUEST_INVALID for a new password that is too short: composed letters count once."""
    if len(opaque(password)) < SHORTEST_PASSWORD:
        said = f"must be at least {SHORTEST_PASSWORD} characters"
        wrong = errors.Violation(field, said, "string.min_len")
        raise errors.invalid("REQUEST_INVALID", "the request breaks a rule of the contract", wrong)


def email_taken() -> errors.DomainError:
    """Somebody has an account with this address."""
    return errors.DomainError(errors.Code.ALREADY_EXISTS, "EMAIL_TAKEN", "an account with this email address exists")


def credentials_wrong() -> errors.DomainError:
    """The address, or the password: which of them is not said."""
    return errors.DomainError(
        errors.Code.UNAUTHENTICATED, "CREDENTIALS_WRONG", "the email address or the password is wrong"
    )


def password_wrong() -> errors.DomainError:
    """Who wants a new password does not know the current one."""
    said = "the current password is wrong"
    return errors.invalid("PASSWORD_WRONG", said, errors.Violation("current_password", said, "PASSWORD_WRONG"))


def account_changed() -> errors.DomainError:
    """Somebody changed the account at the same moment."""
    return errors.DomainError(
        errors.Code.ABORTED, "ACCOUNT_CHANGED", "the account was changed by another request: try again"
    )


def own_admin_role() -> errors.DomainError:
    """Whoever runs the shop cannot end that by themselves."""
    return errors.precondition("OWN_ADMIN_ROLE", "administrators cannot remove the ADMIN role from themselves")


def no_administrator() -> errors.DomainError:
    """The caller's token says ADMIN, and the database does not, or not any more."""
    said = "your account is not an administrator's"
    return errors.DomainError(errors.Code.PERMISSION_DENIED, "ACCESS_DENIED", said)


def user_not_found(user_id: str) -> errors.DomainError:
    """Nobody has this id."""
    return errors.not_found("USER_NOT_FOUND", "the account does not exist", user_id=user_id)
