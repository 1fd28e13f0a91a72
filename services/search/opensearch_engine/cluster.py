"""The connection to OpenSearch, by its official client: credentials, verified TLS, a time limit and a circuit breaker."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import boto3
import opensearchpy

from services.chassis import breaker, database, errors
from services.chassis.credentials import Credential
from services.search.settings import OpenSearchSettings

Answer = TypeVar("Answer")
# The breaker opens after so many failures in a row, for so many seconds.
_FAILURES, _RESET_S = 5, 2.0
_CONNECTIONS = 64
# Answers that repeating the same request later may change: too many requests, and what proxies and starting nodes say.
_TRANSIENT = {401, 403, 408, 429, 500, 502, 503, 504}


class MissingError(Exception):
    """There is no such index or alias."""


class Cluster:
    """Requests to one cluster. A part of the process: it keeps connections open from start to stop."""

    def __init__(self, settings: OpenSearchSettings) -> None:
        self._settings = settings
        self._client: opensearchpy.AsyncOpenSearch | None = None
        self._breaker: breaker.Breaker | None = None

    async def start(self) -> None:
        """Get ready to ask; nothing is connected yet."""
        chosen = self._settings
        self._breaker = await breaker.made("opensearch", failures=_FAILURES, reset_s=_RESET_S)
        secure: dict[str, Any] = {"ca_certs": chosen.ca_file} if chosen.ca_file else {}
        self._client = opensearchpy.AsyncOpenSearch(
            hosts=[chosen.url],
            # Unlike the client's usual one, this asks who is calling for each request: credentials change.
            connection_class=opensearchpy.AsyncHttpConnection,
            http_auth=_signed(chosen),
            verify_certs=True,
            timeout=chosen.timeout_s,
            pool_maxsize=_CONNECTIONS,
            # An idle connection that the other side has closed is noticed when it is used.
            max_retries=1,
            retry_on_status=(),
            **secure,
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._client:
            await self._client.close()

    async def ask(self, request: Callable[[opensearchpy.AsyncOpenSearch], Awaitable[Answer]]) -> Answer:
        """What the cluster answers. Raises TransientError, or MissingError for an index that is not there."""
        if not self._client or not self._breaker:
            raise RuntimeError("the client of OpenSearch was not started")
        database.require_no_transaction("OpenSearch")
        try:
            async with self._breaker:
                answer = await self._answer(request, self._client)
        except breaker.OpenError:
            raise errors.TransientError("opensearch: it failed too often, and is asked again in a moment") from None
        if isinstance(answer, MissingError):
            raise answer
        return answer

    async def _answer(
        self, request: Callable[[opensearchpy.AsyncOpenSearch], Awaitable[Answer]], client: opensearchpy.AsyncOpenSearch
    ) -> Answer | MissingError:
        """The answer; that something is not there is one too, no failure of the cluster."""
        try:
            return await request(client)
        except opensearchpy.NotFoundError as error:
            return MissingError(str(error))
        except opensearchpy.TransportError as error:
            if isinstance(error.status_code, int) and error.status_code not in _TRANSIENT:
                raise
            self._refused(error)
            raise errors.TransientError(f"opensearch: {error}") from error
        except OSError as error:
            raise errors.TransientError(f"opensearch: {error!r}") from error

    def _refused(self, error: opensearchpy.TransportError) -> None:
        login = self._settings.login
        if login and error.status_code in (401, 403):
            login.refused(str(error))


def _signed(chosen: OpenSearchSettings) -> Callable[..., Mapping[str, str]] | None:
    """What adds credentials to a request: those of an AWS role, a user and a password, or nothing."""
    if chosen.aws_region:
        role = boto3.Session().get_credentials()
        signer: Callable[..., Mapping[str, str]] = opensearchpy.AWSV4SignerAsyncAuth(role, chosen.aws_region, "es")
        return signer
    return _basic(chosen.login) if chosen.login else None


def _basic(login: Credential) -> Callable[..., Mapping[str, str]]:
    """User and password, read anew for each request: the file that has them may change while the process runs."""

    def headers(**_: Any) -> Mapping[str, str]:
        return {"authorization": f"Basic {base64.b64encode(login.current().encode()).decode()}"}

    return headers
