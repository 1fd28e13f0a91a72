"""Who is calling: a person by an access token, a service by a token of the mesh. Every service verifies for itself.

An access token is a JWT signed with ES256 by the user service, whose public keys are fetched and kept. With mutual TLS a
service is who its certificate says. Without, it shows a mesh token: a short JWT signed with the key that all services of an
installation share.
"""

import contextvars
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cachetools import TTLCache

from services.chassis import errors
from services.chassis.rpc import certificates, policy

ALGORITHM = "ES256"
MESH_ALGORITHM = "HS256"
MESH_AUDIENCE = "souk-mesh"
MESH_HEADER = "x-souk-service"
MESH_LIFETIME_S = 300
# A key id that is not known makes us ask again, but not more often than this.
REFETCH_S = 5.0
# A key that the user service no longer publishes is forgotten within this.
KEYS_KEPT_S = 300.0
ADMIN = "ADMIN"
# Whom people's calls come from, where certificates say who calls.
EDGE = "edge"

# Public keys by key id. Raises TransientError when they cannot be had.
FetchKeys = Callable[[], Awaitable[Mapping[str, jwt.PyJWK]]]
# What gRPC knows of the other side of a connection.
AskPeer = Callable[[], Mapping[str, Iterable[bytes]]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a user with roles, a service, or nobody (both empty)."""

    user_id: str = ""
    roles: frozenset[str] = frozenset()
    service: str = ""

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


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs access tokens, and for whom."""

    issuer: str
    audience: str


class Tokens:
    """Verifies access tokens against the user service's keys. Tokens that were verified are remembered until they end."""

    def __init__(self, issuer: Issuer, fetch: FetchKeys) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._verified: TTLCache[str, tuple[Caller, float]] = TTLCache(maxsize=20_000, ttl=KEYS_KEPT_S)

    async def verify(self, token: str) -> Caller:
        """The caller that a token names. Raises TOKEN_INVALID or TOKEN_EXPIRED, or TransientError without keys."""
        known = self._verified.get(token)
        if known and known[1] > time.time():
            return known[0]
        claims = await self._decode(token)
        who = Caller(user_id=str(claims["sub"]), roles=frozenset(claims.get("roles", ())))
        self._verified[token] = (who, float(claims["exp"]))
        return who

    async def _decode(self, token: str) -> Mapping[str, Any]:
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid", "")))
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

    async def _key(self, key_id: str) -> jwt.PyJWK:
        age = time.monotonic() - self._fetched_at
        if age > KEYS_KEPT_S or (key_id not in self._keys and age > REFETCH_S):
            self._keys = await self._fetch()
            self._fetched_at = time.monotonic()
        if key_id not in self._keys:
            raise _unauthenticated("TOKEN_INVALID", "the access token is invalid")
        return self._keys[key_id]


class Mesh:
    """Says who a service is and finds out who others are: by certificates, else by tokens of the installation's key."""

    def __init__(self, key: str, service: str, own: certificates.Certificates | None = None) -> None:
        self.own = own
        self._key = key
        self._service = service
        self._token = ""
        self._renew_at = 0.0
        self._verified: TTLCache[str, str] = TTLCache(maxsize=1_000, ttl=60)

    def metadata(self) -> list[tuple[str, str]]:
        """What a call must carry to say who makes it: nothing, where the connection does."""
        return [] if self.own else [(MESH_HEADER, self.token())]

    def caller(self, metadata: Mapping[str, Any], peer: AskPeer) -> str:
        """The service that calls; empty for a caller who does not say. Raises SERVICE_UNKNOWN."""
        if self.own:
            return certificates.caller(peer())
        return self.verify(str(metadata[MESH_HEADER])) if MESH_HEADER in metadata else ""

    def token(self) -> str:
        """A token that says who this service is; made anew before it ends."""
        now = time.time()
        if now >= self._renew_at:
            claims = {"sub": self._service, "aud": MESH_AUDIENCE, "iat": int(now), "exp": int(now) + MESH_LIFETIME_S}
            self._token = jwt.encode(claims, self._key, algorithm=MESH_ALGORITHM)
            self._renew_at = now + MESH_LIFETIME_S / 2
        return self._token

    def verify(self, token: str) -> str:
        """The service that a token names. Raises SERVICE_UNKNOWN."""
        known = self._verified.get(token)
        if known:
            return known
        try:
            claims = jwt.decode(token, self._key, algorithms=[MESH_ALGORITHM], audience=MESH_AUDIENCE)
        except jwt.PyJWTError as error:
            raise _unauthenticated("SERVICE_UNKNOWN", "the mesh token is invalid") from error
        service = str(claims.get("sub", ""))
        self._verified[token] = service
        return service


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
        """Who calls, if they may. Raises TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, SERVICE_UNKNOWN or ACCESS_DENIED."""
        service = self._mesh.caller(metadata, peer) if self.own or method.services else ""
        if service in method.services:
            return Caller(service=service)
        if method.public:
            return NOBODY
        if self.own and service != EDGE:
            raise errors.DomainError(
                errors.Kind.PERMISSION_DENIED, "ACCESS_DENIED", "the calling service may not call this method"
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
                errors.Kind.PERMISSION_DENIED,
                "ACCESS_DENIED",
                "the roles of the access token do not permit this method",
            )
        return who


def _unauthenticated(reason: str, message: str) -> errors.DomainError:
    return errors.DomainError(errors.Kind.UNAUTHENTICATED, reason, message)
