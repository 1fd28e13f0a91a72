"""What a sign-in is, and what it means that somebody sends one of its tokens."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from services.chassis import errors
from services.user.domain.accounts import User

# A refresh token that is sent again so soon was not stolen: its answer was lost, or two tabs asked at once.
GRACE = timedelta(seconds=10)
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Revocation:
    """Access tokens that are refused before they expire: see `chassis/rpc/revocations.py`.

    subject_id is a sign-in, or an account, of which tokens count again from the version `least_version` on (a sign-in's
    never do: 0). revoke_time is when the database noted it, and expire_time when the last of the tokens expires.
    """

    subject_id: str
    least_version: int
    revoke_time: datetime
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """A signed token that says who somebody is, and when it expires."""

    access_token: str = field(repr=False)
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token, which can be used once: its text, which is never stored, and the digest that is."""

    text: str = field(repr=False)
    digest: bytes
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in began: from which network address, by what client; empty: unknown."""

    address: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """The address, or of IPv6 the /64 that it is in: one household or host has as many addresses as it likes there."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address.packed, IPV6_PREFIX), strict=False))


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class SignInShown:
    """A sign-in that has not ended, as its owner sees it. use_time is when it was last renewed."""

    id: str
    create_time: datetime
    use_time: datetime
    expire_time: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in, by the id of its family of refresh tokens, and the newest of them."""

    family_id: str
    token: RefreshToken


@dataclass(frozen=True, slots=True)
class Revoked:
    """A part of what was revoked, what to ask for next, and whether there is more at once."""

    revocations: Sequence[Revocation]
    next_since: datetime
    more: bool


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A refresh token as we know it. use_time is when it was first exchanged; a family is all that came of one sign-in."""

    digest: bytes
    family_id: str
    expire_time: datetime
    use_time: datetime | None
    revoked: bool


class Use(Enum):
    """What it means that somebody sends a refresh token."""

    FIRST = auto()  # as it should be
    REPEATED = auto()  # the answer to the first did not arrive
    STOLEN = auto()  # two people have it: nobody knows which of them is the owner
    ENDED = auto()  # it is unknown, expired or revoked


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in account: the token that says so, when it expires, and what exchanges for the next one."""

    user: User
    access: Access
    refresh: RefreshToken


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point on the curve P-256 that verifies tokens; x and y are base64url, as RFC 7518 writes them."""

    id: str
    x: str
    y: str


def use_of(token: HeldToken | None, now: datetime) -> Use:
    """What it means that somebody sends this token now (None: one that we do not know)."""
    if token is None or token.revoked or token.expire_time <= now:
        return Use.ENDED
    if token.use_time is None:
        return Use.FIRST
    return Use.REPEATED if now - token.use_time <= GRACE else Use.STOLEN


def refresh_token_invalid() -> errors.DomainError:
    """The token is worth nothing: it is none of ours, it ended, or its sign-in was revoked. Which is not said."""
    return errors.DomainError(
        errors.Code.UNAUTHENTICATED, "REFRESH_TOKEN_INVALID", "the refresh token is invalid, expired or revoked"
    )


def refresh_token_reused() -> errors.DomainError:
    """The token was exchanged before: its sign-in is revoked."""
    said = "the refresh token was already used, and its sign-in is revoked: sign in again"
    return errors.DomainError(errors.Code.UNAUTHENTICATED, "REFRESH_TOKEN_REUSED", said)
