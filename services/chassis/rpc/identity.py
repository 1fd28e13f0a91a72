"""Who is calling: a person by an access token, a service by a token of the mesh. Every service verifies for itself.

An access token is a JWT signed with ES256 by the user service, whose public keys are fetched and kept. With mutual TLS a
service is who its certificate says. Without, it shows a mesh token: a short JWT signed with the key that all services of an
installation share.
"""

import contextlib
import contextvars
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import jwt
from cachetools import TTLCache

from services.chassis import credentials, errors
from services.chassis.rpc import certificates, keys, policy, revocations

ALGORITHM = "ES256"
MESH_ALGORITHM = "HS256"
MESH_AUDIENCE = "souk-mesh"
MESH_HEADER = "x-souk-service"
MESH_LIFETIME_S = 300
# Claims of an access token by which it can be revoked: its sign-in, and the version of the account that it was made from.
SIGN_IN = "sid"
VERSION = "ver"
# A token that was verified is looked at again after this, and `keys.FRESH_S` before that its key was still published.
VERIFIED_S = 240.0
ADMIN = "ADMIN"
# Whom people's calls come from, where certificates say who calls.
EDGE = "edge"
# The edge takes it from callers, and says it itself.
CLIENT_ADDRESS = "x-souk-client-address"
USER_AGENT = "user-agent"

FetchKeys = keys.Fetch
# What gRPC knows of the other side of a connection.
AskPeer = Callable[[], Mapping[str, Iterable[bytes]]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a user with roles, a service, or nobody (both empty).

    token is the access token that a user showed, for calls that are made for that user (`client.Peer.call`).
    """

    user_id: str = ""
    roles: frozenset[str] = frozenset()
    service: str = ""
    token: str = field(default="", repr=False, compare=False)
    # The sign-in that the token is of.
    sign_in: str = field(default="", compare=False)

    @property
    def is_admin(self) -> bool:
        """Whether the caller runs the shop."""
        return ADMIN in self.roles

    @property
    def owner_id(self) -> str | None:
        """Whose things exist for the caller: its own, or (None) everybody's, for who runs the shop."""
        return None if self.is_admin else self.user_id


NOBODY = Caller()
_caller: contextvars.ContextVar[Caller] = contextvars.ContextVar("caller", default=NOBODY)


def caller() -> Caller:
    """Who made the call that is being served."""
    return _caller.get()


def set_caller(who: Caller) -> None:
    """Remember who made this call, for the task that serves it."""
    _caller.set(who)


def client_address(context: Any) -> str:
    """Where a person's call comes from, as the edge saw it: empty for a call that did not come through the edge.

    Good for sharing fairly, not for rights: without certificates somebody inside the mesh may say what they like.
    """
    return next((str(value)[:64] for name, value in context.invocation_metadata() or () if name == CLIENT_ADDRESS), "")


def user_agent(context: Any) -> str:
    """What the client of a person's call calls itself, printable and no longer than a line; empty when it does not say."""
    said = next((str(value) for name, value in context.invocation_metadata() or () if name == USER_AGENT), "")
    return "".join(letter for letter in said if letter.isprintable())[:200]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs access tokens, and for whom."""

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a token that was verified says: who calls, in which sign-in, by which version of the account, until when."""

    who: Caller
    sign_in: str
    version: int
    expire_time: float


class Authority(Protocol):
    """Who says which access tokens count: the user service. Both raise TransientError when it is unavailable."""

    async def keys(self) -> Mapping[str, jwt.PyJWK]:
        """The public keys that verify them, by key id."""

    async def revoked(self, since: datetime | None) -> revocations.News:
        """Those that were revoked since then, or all that still matter."""


class Tokens:
    """Verifies access tokens against the user service's keys, and against the list of those that were revoked.

    Tokens that were verified are remembered until they expire. That they were not revoked is asked at each call.
    """

    def __init__(self, issuer: Issuer, fetch: FetchKeys, revoked: revocations.Revocations | None = None) -> None:
        self._issuer = issuer
        self._keys = keys.Keys(fetch)
        self._revoked = revoked
        self._verified: TTLCache[str, _Verified] = TTLCache(maxsize=20_000, ttl=VERIFIED_S)

    async def verify(self, token: str) -> Caller:
        """The caller that a token names.

        Raises TOKEN_INVALID, TOKEN_EXPIRED or TOKEN_REVOKED, or TransientError when its key cannot be had.
        """
        known = self._verified.get(token)
        if known is None or known.expire_time <= time.time():
            known = self._verified[token] = _said(token, await self._decode(token))
        if self._revoked and self._revoked.refuse(known.sign_in, known.who.user_id, known.version):
            raise _unauthenticated(
                "TOKEN_REVOKED", "the access token was revoked: refresh the session or sign in again"
            )
        return known.who

    async def _decode(self, token: str) -> Mapping[str, Any]:
        try:
            key = await self._keys.get(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise jwt.InvalidKeyError("no such key")
            if self._revoked:
                await self._revoked.tried()
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._issuer.audience,
                issuer=self._issuer.issuer,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise _unauthenticated("TOKEN_EXPIRED", "the access token has expired") from error
        except jwt.PyJWTError as error:
            raise _unauthenticated("TOKEN_INVALID", "the access token is invalid") from error


def _said(token: str, claims: Mapping[str, Any]) -> _Verified:
    # Tokens that were made before they said so belong to no sign-in that could be revoked, and to the oldest version.
    sign_in = str(claims.get(SIGN_IN, ""))
    roles = frozenset(claims.get("roles", ()))
    who = Caller(user_id=str(claims["sub"]), roles=roles, token=token, sign_in=sign_in)
    return _Verified(who, sign_in, int(claims.get(VERSION, 0)), float(claims["exp"]))


class Mesh:
    """Says who a service is and finds out who others are: by certificates, else by tokens of the installation's keys.

    `key` may be several, with spaces between: the first signs, each verifies. They are read again for each token that is made
    or not known yet.
    """

    def __init__(
        self, key: str | credentials.Credential, service: str, own: certificates.Certificates | None = None
    ) -> None:
        self.own = own
        self._key = credentials.of(key)
        self._service = service
        self._token = ""
        self._renew_at = 0.0
        self._verified: TTLCache[str, tuple[str, float]] = TTLCache(maxsize=1_000, ttl=60)

    def metadata(self) -> list[tuple[str, str]]:
        """What a call must carry to say who makes it: nothing, where the connection does."""
        return [] if self.own else [(MESH_HEADER, self.token())]

    def caller(self, metadata: Mapping[str, Any], peer: AskPeer) -> str:
        """The service that calls; empty for a caller who does not say. Raises SERVICE_UNKNOWN."""
        if self.own:
            return certificates.caller(peer())
        return self.verify(str(metadata[MESH_HEADER])) if MESH_HEADER in metadata else ""

    def token(self) -> str:
        """A token that says who this service is; made anew before it expires."""
        now = time.time()
        if now >= self._renew_at:
            claims = {"sub": self._service, "aud": MESH_AUDIENCE, "iat": int(now), "exp": int(now) + MESH_LIFETIME_S}
            self._token = jwt.encode(claims, self._key.current().split()[0], algorithm=MESH_ALGORITHM)
            self._renew_at = now + MESH_LIFETIME_S / 2
        return self._token

    def verify(self, token: str) -> str:
        """The service that a token names. Raises SERVICE_UNKNOWN, also for a token that never expires, or too late."""
        known = self._verified.get(token)
        if known and known[1] > time.time():
            return known[0]
        try:
            claims = self._decode(token)
            if claims["exp"] - claims["iat"] > MESH_LIFETIME_S or not claims["sub"]:
                raise jwt.InvalidTokenError("made by none of ours")
        except jwt.PyJWTError as error:
            raise _unauthenticated("SERVICE_UNKNOWN", "the mesh token is invalid") from error
        service = str(claims["sub"])
        self._verified[token] = (service, float(claims["exp"]))
        return service

    def _decode(self, token: str) -> Mapping[str, Any]:
        """What a token of one of the keys says. Raises PyJWTError."""
        *others, last = self._key.current().split()
        for key in others:
            with contextlib.suppress(jwt.InvalidSignatureError):
                return _claims(token, key)
        return _claims(token, last)


class Gate:
    """Lets calls in, as the contract's access rules say."""

    def __init__(self, tokens: Tokens, mesh: Mesh) -> None:
        self._tokens = tokens
        self._mesh = mesh

    @property
    def own(self) -> certificates.Certificates | None:
        """The certificates of the service behind this gate, if it has any."""
        return self._mesh.own

    async def admit(self, method: policy.Method, metadata: Mapping[str, Any], peer: AskPeer) -> Caller:
        """Who calls, if they may.

        Raises TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, SERVICE_UNKNOWN or ACCESS_DENIED.
        """
        service = self._mesh.caller(metadata, peer) if self.own or method.for_services else ""
        if service not in ("", EDGE) and method.admits(service):
            return Caller(service=service)
        if method.public:
            return NOBODY
        # A person's call comes through the edge, or from a service that may pass it on: with the person's token, both.
        if self.own and service != EDGE and service not in method.for_users:
            raise errors.DomainError(
                errors.Code.PERMISSION_DENIED, "ACCESS_DENIED", "the calling service may not call this method"
            )
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        if not token or scheme.lower() != "bearer":
            raise _unauthenticated(
                "TOKEN_MISSING", "the method requires an access token: `Authorization: Bearer <token>`"
            )
        # RFC 9110, 11.4: one or more spaces follow the scheme.
        who = await self._tokens.verify(token.lstrip(" "))
        if not who.roles & method.roles:
            raise errors.DomainError(
                errors.Code.PERMISSION_DENIED,
                "ACCESS_DENIED",
                "the roles of the access token do not permit this method",
            )
        return who

    async def readmit(self, who: Caller, method: policy.Method, metadata: Mapping[str, Any], peer: AskPeer) -> None:
        """Whether somebody who was admitted may go on. Raises what `admit` raises if their token no longer counts.

        A service may: its mesh token, which expires sooner than its stream ends, says who it is when it calls.
        """
        if who.user_id:
            await self.admit(method, metadata, peer)


def _claims(token: str, key: str) -> Mapping[str, Any]:
    claims: Mapping[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[MESH_ALGORITHM],
        audience=MESH_AUDIENCE,
        options={"require": ["exp", "iat", "sub"]},
    )
    return claims


def _unauthenticated(reason: str, message: str) -> errors.DomainError:
    return errors.DomainError(errors.Code.UNAUTHENTICATED, reason, message)
