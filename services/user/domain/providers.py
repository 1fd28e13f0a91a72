"""Sign-in with accounts of other providers: what is kept of an attempt, what a provider says, and whose account that is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from services.chassis import errors
from services.user.domain.accounts import Role, User

# How long an attempt may take: a person reads a page, and types a password and perhaps a code.
LIFETIME = timedelta(minutes=10)
LONGEST_NAME = 120
# What a line of text must not have (the rule `line` of the contract).
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class Begun:
    """What an attempt sends with the browser, or keeps from it. verifier is the secret of PKCE (RFC 7636)."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with the browser, and the binding of who began; iss is empty when the provider sent none (RFC 9207)."""

    provider: str
    state: str = field(repr=False)
    code: str = field(repr=False)
    binding: str = field(repr=False)
    iss: str = ""
    second_factor_code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as a provider says. Its subject alone is for ever; email and name are empty when it says none."""

    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is kept of an attempt, by digests of its state and of its binding.

    user_id is whose link it makes; None for a sign-in. secrets are its nonce and its verifier, sealed.
    """

    state_digest: bytes
    binding_digest: bytes
    provider: str
    user_id: str | None
    secrets: str = field(repr=False)
    create_time: datetime
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """That an account of a provider, which its subject names, opens an account of ours."""

    provider: str
    subject: str
    user_id: str
    email: str
    create_time: datetime


class Whose(Enum):
    """Whose account an identity opens."""

    LINKED = auto()  # that of the link
    THEIRS = auto()  # that of the same address: it is linked now
    NOBODYS = auto()  # there is none with the address: one is made


def whose(identity: Identity, owner: User | None) -> Whose:
    """Whose account an identity opens that is not linked; owner has the address that it says.

    Raises SIGN_IN_EMAIL_UNVERIFIED, or LINK_NEEDS_SIGN_IN. Somebody may have registered a stranger's address and wait for its
    owner to come with a provider: so the address must be verified on both sides. Whoever runs the shop links by themselves.
    """
    if not identity.email or not identity.email_verified:
        raise email_unverified()
    if owner is None:
        return Whose.NOBODYS
    if not owner.email_verified or Role.ADMIN in owner.roles:
        raise needs_sign_in()
    return Whose.THEIRS


def display_name(identity: Identity) -> str:
    """A name for a new account: what the provider calls the person, as far as it is a line, or the address before its @."""
    name = " ".join(_NOT_IN_A_LINE.sub(" ", identity.name).split())[:LONGEST_NAME].strip()
    return name if any(letter.isalnum() for letter in name) else identity.email.partition("@")[0][:LONGEST_NAME]


def unknown(name: str, known: Sequence[str]) -> errors.DomainError:
    """The shop lets nobody sign in with this provider."""
    said = "nobody signs in with this provider here"
    return errors.not_found("SIGN_IN_PROVIDER_UNKNOWN", said, provider=name, known=",".join(known))


def unavailable(name: str) -> errors.DomainError:
    """The provider did not answer, or made no sense."""
    said = "the provider cannot be asked at the moment: nothing has changed, retry after a while"
    return errors.DomainError(
        errors.Code.UNAVAILABLE, "SIGN_IN_PROVIDER_UNAVAILABLE", said, {"provider": name}, retry_after_s=RETRY_S
    )


def refused(name: str) -> errors.DomainError:
    """The provider knows nothing of the code, or what it says of the person does not hold."""
    said = "the provider does not confirm this sign-in: begin again"
    return errors.DomainError(errors.Code.UNAUTHENTICATED, "SIGN_IN_REFUSED", said, {"provider": name})


def not_valid() -> errors.DomainError:
    """The attempt is unknown, ended, expired, or somebody else's: which is not said."""
    said = "the sign-in is not valid, or not any more: begin again"
    return errors.precondition("SIGN_IN_NOT_VALID", said)


def email_unverified() -> errors.DomainError:
    """The provider does not vouch for an address."""
    said = "the provider does not say that your email address is verified: verify it there, or sign in with a password"
    return errors.precondition("SIGN_IN_EMAIL_UNVERIFIED", said)


def needs_sign_in() -> errors.DomainError:
    """There is an account with the address that is not linked by the address alone."""
    said = "an account with this address exists: sign in with its password, and link the provider then"
    return errors.precondition("LINK_NEEDS_SIGN_IN", said)


def link_taken() -> errors.DomainError:
    """Somebody else signs in with the provider's account."""
    said = "another account signs in with this account of the provider"
    return errors.DomainError(errors.Code.ALREADY_EXISTS, "LINK_TAKEN", said)


def link_exists() -> errors.DomainError:
    """One of a provider is enough."""
    said = "an account of this provider is linked already: remove that link first"
    return errors.precondition("LINK_EXISTS", said)
