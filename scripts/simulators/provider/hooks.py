"""The provider's webhooks: signed, sent in the background, and sent again until they are answered with 2xx, or too often."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from scripts.simulators.steered import Body

HEADER = "Webhook-Signature"
TRIES = 6
FIRST_WAIT_S = 0.2


class Sender:
    """Sends events to one address, if it was told one. Must run beside the application: `running`."""

    def __init__(self) -> None:
        self._url = ""
        self._secret = ""
        self._session: aiohttp.ClientSession | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def send_to(self, url: str, secret: str) -> None:
        """Where events go from now on, and the secret that signs them."""
        self._url, self._secret = url, secret

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Connected for as long as the application runs; what is not sent by its end is lost."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            self._session = session
            yield
            for task in self._sending:
                task.cancel()

    def tell(self, kind: str, about: Body) -> None:
        """Send an event, later."""
        if self._url:
            event = {"id": f"evt_{secrets.token_hex(12)}", "type": kind, "created": int(time.time())}
            task = asyncio.get_running_loop().create_task(self._send(self._url, event | {"data": {"object": about}}))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, url: str, event: Body) -> None:
        body = json.dumps(event, separators=(",", ":")).encode()
        for attempt in range(TRIES):
            if await self._taken(url, body):
                return
            await asyncio.sleep(FIRST_WAIT_S * 2**attempt)

    async def _taken(self, url: str, body: bytes) -> bool:
        if self._session is None:
            raise RuntimeError("the sender is not running")
        headers = {HEADER: signature(self._secret, body), "Content-Type": "application/json"}
        try:
            async with self._session.post(url, data=body, headers=headers) as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False


def signature(secret: str, body: bytes) -> str:
    """The header that signs a body now."""
    signed_at = int(time.time())
    code = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},v1={code}"
