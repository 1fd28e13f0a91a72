"""Souk over REST, as a program of a customer's would call it: JSON in and out, errors as they are meant to be read."""

import asyncio
import codecs
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

TIMEOUT_S = 15.0
RETRY_AFTER_S = 1.0
# A bucket is full again after a minute, so a caller that waits as told gets through within a few.
MAX_LIMITED = 20
Json = dict[str, Any]


class EdgeError(Exception):
    """What went wrong, in one line."""


class RefusedError(EdgeError):
    """The edge or a service said no: its HTTP status, its reason code and its message."""

    def __init__(self, call: str, status: int, body: Json) -> None:
        details = body.get("details") or []
        self.status = status
        self.reason = next((detail["reason"] for detail in details if detail.get("reason")), "")
        said = [body.get("message") or "no message"]
        for detail in details:
            said += [f"{v['field']}: {v['description']}" for v in detail.get("field_violations", [])]
        super().__init__(f"{call}: {status} {self.reason or 'without a reason'}: {'; '.join(said)}")


class Edge:
    """The edge at one address, called with one access token; without one until `sign_in` or `register`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self.token = ""

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator["Edge"]:
        """The edge at `url`, for the length of a `with` block."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_connect=5, sock_read=TIMEOUT_S)) as session:
            yield cls(url, session)

    async def sign_in(self, email: str, password: str) -> Json:
        """Use this account from now on. Answers with it."""
        return await self._start_session("login", {"email": email, "password": password})

    async def register(self, email: str, password: str, display_name: str) -> Json:
        """Make this account and use it from now on. Answers with it."""
        account = {"email": email, "password": password, "display_name": display_name}
        return await self._start_session("register", account)

    async def get(self, path: str, **query: str | int) -> Json:
        """The answer of a GET. Raises EdgeError, as all do."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Json, *, key: str = "") -> Json:
        """The answer of a POST, safe to repeat with the same `key`."""
        return await self._call("POST", path, json=body, headers={"Idempotency-Key": key} if key else {})

    async def put(self, path: str, body: Json) -> Json:
        """The answer of a PUT."""
        return await self._call("PUT", path, json=body)

    async def pages(self, path: str, field: str, size: int) -> list[Json]:
        """What all pages of a list hold in `field`."""
        items: list[Json] = []
        token = ""
        while True:
            page = await self.get(path, page_size=size, **({"page_token": token} if token else {}))
            items += page[field]
            token = page["next_page_token"]
            if not token:
                return items

    async def stream(self, path: str) -> AsyncIterator[Json]:
        """The messages of a streamed GET, each as it arrives; whether they come as lines or as elements of an array."""
        try:
            async with self._session.get(self._url + path, headers=self._authorization()) as response:
                if response.status != 200:
                    raise RefusedError(f"GET {path}", response.status, _parsed(await response.read()))
                async for message in _messages(response.content):
                    yield message
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EdgeError(f"GET {path}: the stream broke: {_said(error)}") from error

    async def _start_session(self, how: str, account: Json) -> Json:
        session = await self.post(f"/api/v1/users/{how}", account)
        self.token = session["access_token"]
        user: Json = session["user"]
        return user

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        for _ in range(MAX_LIMITED):
            status, wait_s, body = await self._once(method, path, options)
            if status < 400:
                return body
            if status != 429:
                break
            await asyncio.sleep(wait_s)
        raise RefusedError(f"{method} {path}", status, body)

    async def _once(self, method: str, path: str, options: dict[str, Any]) -> tuple[int, float, Json]:
        headers = options.get("headers", {}) | self._authorization()
        try:
            async with self._session.request(method, self._url + path, **(options | {"headers": headers})) as response:
                wait_s = float(response.headers.get("Retry-After", RETRY_AFTER_S))
                return response.status, wait_s, _parsed(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EdgeError(f"{self._url} does not answer {method} {path}: {_said(error)}") from error

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def new_key() -> str:
    """An idempotency key that nobody used before."""
    return secrets.token_hex(16)


async def _messages(content: aiohttp.StreamReader) -> AsyncIterator[Json]:
    characters, messages = codecs.getincrementaldecoder("utf-8")(), json.JSONDecoder()
    text = ""
    async for chunk in content.iter_any():
        text += characters.decode(chunk)
        while text := text.lstrip("[], \r\n"):
            try:
                message, end = messages.raw_decode(text)
            except json.JSONDecodeError:
                break
            yield message
            text = text[end:]


def _parsed(content: bytes) -> Json:
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        return {"message": content[:200].decode("utf-8", "replace")}
    return body if isinstance(body, dict) else {"message": str(body)[:200]}


def _said(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__
