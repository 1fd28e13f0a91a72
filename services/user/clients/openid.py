"""OpenID providers that people sign in with: where to send a browser, and who came back (OpenID Connect, code flow with PKCE).

What a provider says of itself (its discovery document and its keys) is kept for an hour, and longer while it cannot be asked; a
key that is not among the kept ones is looked for again, now and then. Every call has a timeout, and a breaker in front of it.
An answer counts for the provider that the browser was sent to and for no other: its ID token must be made by that issuer, and so
must the answer say where the provider says in its answers who it is (RFC 9207), which keeps answers from being mixed up.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.chassis import breaker, clock
from services.user import id_tokens
from services.user.domain import providers as rules
from services.user.settings import Provider, is_safe

_LOG = logging.getLogger(__name__)

FRESH_S = 3600.0
# Keys that are not known are looked for this often at most: anybody can send a token that names one.
LOOK_EVERY_S = 30.0
FAILURES, RESET_S = 5, 10.0
NO_ANSWER = (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError, ValueError)
NO_KEYS = (JoseError, ValueError, KeyError, TypeError, AttributeError)
# What a token endpoint answers when it may answer otherwise later, or when our settings are wrong: no fault of the person.
LATER = ("temporarily_unavailable", "server_error", "invalid_client", "unauthorized_client")


class _NoAnswerError(Exception):
    """The provider did not answer, or made no sense."""


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    auth_methods: Sequence[str]
    says_issuer: bool


@dataclass(slots=True)
class _Kept:
    """What is known of a provider by now, and when it was asked for."""

    metadata: _Metadata | None = None
    asked: float = float("-inf")
    keys: KeySet | None = None
    keys_asked: float = float("-inf")


@dataclass(frozen=True, slots=True)
class _Known:
    """A provider, how it is called, and what is known of it."""

    settings: Provider
    http: AsyncOAuth2Client
    breaker: breaker.Breaker
    kept: _Kept = field(default_factory=_Kept)


class Providers:
    """The providers of the settings. A part of the process: it keeps connections open from start to stop."""

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        timeout_s: float = 3.0,
        now: clock.Clock = clock.utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = providers
        self._timeout_s = timeout_s
        self._now = now
        self._ticks = ticks
        self._known: dict[str, _Known] = {}

    async def start(self) -> None:
        """Get ready to call; nothing is asked yet."""
        for provider in self._settings:
            http = AsyncOAuth2Client(
                client_id=provider.client_id,
                client_secret=provider.client_secret,
                redirect_uri=provider.redirect_uri,
                scope=provider.scopes,
                code_challenge_method="S256",
                timeout=httpx2.Timeout(self._timeout_s),
                follow_redirects=False,
            )
            circuit = await breaker.made(f"sign-in-{provider.name}", failures=FAILURES, reset_s=RESET_S)
            self._known[provider.name] = _Known(provider, http, circuit)

    async def stop(self) -> None:
        """Close all connections."""
        for known in self._known.values():
            await known.http.aclose()

    def names(self) -> Sequence[str]:
        """The names of the providers, sorted."""
        return sorted(provider.name for provider in self._settings)

    async def address(self, name: str, begun: rules.Begun) -> str:
        """Where to send a browser. Raises SIGN_IN_PROVIDER_UNKNOWN or SIGN_IN_PROVIDER_UNAVAILABLE."""
        known = self._named(name)
        async with _answering(known):
            metadata = await self._metadata(known)
        url, _ = known.http.create_authorization_url(
            metadata.authorization, state=begun.state, code_verifier=begun.verifier, nonce=begun.nonce
        )
        return str(url)

    async def identity(self, answer: rules.Answer, begun: rules.Begun) -> rules.Identity:
        """Who came back.

        Raises SIGN_IN_PROVIDER_UNKNOWN, SIGN_IN_PROVIDER_UNAVAILABLE, or SIGN_IN_REFUSED when the provider knows nothing of the
        code, or what it says does not hold.
        """
        known = self._named(answer.provider)
        async with _answering(known):
            metadata = await self._metadata(known)
            if answer.iss != known.settings.issuer and (answer.iss or metadata.says_issuer):
                _LOG.warning("an answer of another provider", extra={"provider": answer.provider, "iss": answer.iss})
                raise rules.refused(answer.provider)
            token = await self._token(known, metadata, answer.code, begun)
            said = await self._claims(known, metadata, token, begun)
            return await self._with_email(known, metadata, token, said)

    def _named(self, name: str) -> _Known:
        if name not in self._known:
            raise rules.unknown(name, self.names())
        return self._known[name]

    async def _metadata(self, known: _Known) -> _Metadata:
        kept = known.kept
        if kept.metadata is not None and self._ticks() - kept.asked < FRESH_S:
            return kept.metadata
        try:
            document = await _json(known, get_well_known_url(known.settings.issuer, external=True))
            kept.metadata = _read(document, known.settings.issuer)
            kept.asked = self._ticks()
        except _NoAnswerError:
            if kept.metadata is None:
                raise
            _LOG.warning("what a provider said of itself is kept for longer", extra={"provider": known.settings.name})
        return kept.metadata

    async def _keys(self, known: _Known, metadata: _Metadata, *, newer_than_s: float) -> KeySet:
        kept = known.kept
        if kept.keys is None or self._ticks() - kept.keys_asked >= newer_than_s:
            document = await _json(known, metadata.keys)
            try:
                kept.keys = KeySet.import_key_set(
                    {"keys": [key for key in document["keys"] if key.get("kty") != "oct"]}
                )
            except NO_KEYS as error:
                raise _NoAnswerError(repr(error)) from error
            kept.keys_asked = self._ticks()
        return kept.keys

    async def _token(self, known: _Known, metadata: _Metadata, code: str, begun: rules.Begun) -> Mapping[str, Any]:
        """What the provider gives for a code."""
        auth = "client_secret_basic"
        if metadata.auth_methods and auth not in metadata.auth_methods:
            auth = "client_secret_post"
        try:
            async with known.breaker:
                # A refusal is an answer: whoever sends wrong codes must not open the breaker for everybody.
                token, refusal = await _fetched(known, metadata.token, auth, code=code, code_verifier=begun.verifier)
        except NO_ANSWER as error:
            raise _NoAnswerError(repr(error)) from error
        if refusal is not None:
            _LOG.warning("a provider refused a code", extra={"provider": known.settings.name, "cause": str(refusal)})
            raise _NoAnswerError(str(refusal)) if refusal.error in LATER else rules.refused(known.settings.name)
        return token

    async def _claims(
        self, known: _Known, metadata: _Metadata, token: Mapping[str, Any], begun: rules.Begun
    ) -> Mapping[str, Any]:
        """What the ID token says, when it holds."""
        chosen = known.settings
        expected = id_tokens.Expected(chosen.issuer, chosen.client_id, begun.nonce, str(token.get("access_token", "")))
        text = str(token.get("id_token", ""))
        try:
            try:
                keys = await self._keys(known, metadata, newer_than_s=FRESH_S)
                return id_tokens.claims(text, keys, expected, self._now())
            except id_tokens.UnknownKeyError:
                keys = await self._keys(known, metadata, newer_than_s=LOOK_EVERY_S)
                return id_tokens.claims(text, keys, expected, self._now())
        except id_tokens.WrongError as error:
            _LOG.warning("an ID token does not hold", extra={"provider": chosen.name, "cause": str(error)})
            raise rules.refused(chosen.name) from error

    async def _with_email(
        self, known: _Known, metadata: _Metadata, token: Mapping[str, Any], said: Mapping[str, Any]
    ) -> rules.Identity:
        """The identity; where the ID token has no address the provider is asked for more (Core, section 5.3)."""
        if "email" not in said and metadata.userinfo:
            headers = {"authorization": f"Bearer {token.get('access_token', '')}"}
            more = await _json(known, metadata.userinfo, headers=headers)
            if more.get("sub") != said["sub"]:
                raise rules.refused(known.settings.name)
            said = {**more, **said}
        email, name = said.get("email"), said.get("name")
        return rules.Identity(
            str(said["sub"]),
            email if isinstance(email, str) else "",
            said.get("email_verified") is True,
            name if isinstance(name, str) else "",
        )


@asynccontextmanager
async def _answering(known: _Known) -> AsyncIterator[None]:
    """Raises SIGN_IN_PROVIDER_UNAVAILABLE when the provider does not answer within it."""
    try:
        yield
    except (_NoAnswerError, breaker.OpenError) as error:
        _LOG.warning("a provider cannot be asked", extra={"provider": known.settings.name, "cause": repr(error)})
        raise rules.unavailable(known.settings.name) from error


async def _fetched(known: _Known, url: str, method: str, **given: str) -> tuple[Mapping[str, Any], OAuthError | None]:
    """What the provider gives, or why it refuses."""
    try:
        return dict(await known.http.fetch_token(url, auth=known.http.client_auth(method), **given)), None
    except OAuthError as error:
        return {}, error


async def _json(known: _Known, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """A JSON object from the provider. Raises _NoAnswerError."""
    try:
        async with known.breaker:
            answer = await known.http.request("GET", url, headers=headers, withhold_token=True)
            answer.raise_for_status()
            document = answer.json()
            if not isinstance(document, dict):
                raise ValueError(f"{url} is no JSON object")  # noqa: TRY004 - as when it is no JSON at all
            return document
    except NO_ANSWER as error:
        raise _NoAnswerError(repr(error)) from error


def _read(document: Mapping[str, Any], issuer: str) -> _Metadata:
    """What a discovery document says, when it is this issuer's and nothing is sent in the clear. Raises _NoAnswerError."""
    if document.get("issuer") != issuer:
        raise _NoAnswerError(f"the document of {issuer} is another's: {document.get('issuer')}")
    urls = {name: str(document.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    wrong = [name for name, url in urls.items() if not is_safe(url)]
    userinfo = str(document.get("userinfo_endpoint", ""))
    if wrong or (userinfo and not is_safe(userinfo)):
        raise _NoAnswerError(f"the document of {issuer} has no safe {', '.join(wrong) or 'userinfo_endpoint'}")
    return _Metadata(
        urls["authorization_endpoint"],
        urls["token_endpoint"],
        urls["jwks_uri"],
        userinfo,
        document.get("token_endpoint_auth_methods_supported", ()),
        document.get("authorization_response_iss_parameter_supported") is True,
    )
