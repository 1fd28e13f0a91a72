"""A simulator's webhooks: signed, sent in the background, and sent again until they are answered with 2xx, or too often.

    PUT  /webhooks   {url, secret, copies, delay_seconds}: where events go from now on; an empty url: nowhere, as after a start.
                     copies: how often each is sent, once unless told. delay_seconds: every second event leaves so much later,
                     after those that follow it.

They are signed in Stripe's way, in `Webhook-Signature`.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from scripts.simulators import steered
from scripts.simulators.steered import Body

HEADER = "Webhook-Signature"
TRIES = 6
FIRST_WAIT_S = 0.2
MOST_COPIES = 10


@dataclass(frozen=True, slots=True)
class Target:
    """Where events go, and how."""

    url: str = ""
    secret: str = ""
    copies: int = 1
    delay_seconds: float = 0.0


class Sender:
    """Sends events to one address, if it was told one. Runs with the application that it is added to."""

    def __init__(self) -> None:
        self._target = Target()
        self._session: aiohttp.ClientSession | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._number = itertools.count(1)
        self.wanted = asyncio.Event()

    def add_to(self, app: web.Application) -> None:
        """Add the route by which it is told where events go."""
        app.router.add_put("/webhooks", self._put)
        app.cleanup_ctx.append(self._running)

    def tell(self, kind: str, about: Body) -> None:
        """Send an event, later."""
        if not self._target.url:
            return
        event = {"id": f"evt_{secrets.token_hex(12)}", "type": kind, "created": int(time.time())}
        body = json.dumps(event | {"data": {"object": about}}, separators=(",", ":")).encode()
        delay_s = 0.0 if next(self._number) % 2 else self._target.delay_seconds
        for _ in range(self._target.copies):
            task = asyncio.get_running_loop().create_task(self._send(self._target, body, delay_s))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _running(self, _: web.Application) -> AsyncIterator[None]:
        """Connected for as long as the application runs; what is not sent by its end is lost."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            self._session = session
            yield
            for task in self._sending:
                task.cancel()

    async def _put(self, request: web.Request) -> web.Response:
        try:
            self._target = _target(await steered.body_of(request))
        except steered.Invalid as invalid:
            return steered.rendered(invalid.reply)
        if self._target.url:
            self.wanted.set()
        else:
            self.wanted.clear()
        return web.json_response({})

    async def _send(self, target: Target, body: bytes, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        for attempt in range(TRIES):
            if await self._taken(target, body):
                return
            await asyncio.sleep(FIRST_WAIT_S * 2**attempt)

    async def _taken(self, target: Target, body: bytes) -> bool:
        if self._session is None:
            raise RuntimeError("the sender is not running")
        headers = {HEADER: signature(target.secret, body), "Content-Type": "application/json"}
        try:
            async with self._session.post(target.url, data=body, headers=headers) as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False


def signature(secret: str, body: bytes) -> str:
    """The header that signs a body now."""
    signed_at = int(time.time())
    code = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},v1={code}"


def _target(body: Body) -> Target:
    copies, delay = body.get("copies", 1), body.get("delay_seconds", 0)
    if isinstance(copies, bool) or not isinstance(copies, int) or not 0 < copies <= MOST_COPIES:
        raise steered.Invalid(f"copies is a number from 1 to {MOST_COPIES}")
    if isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0:
        raise steered.Invalid("delay_seconds is a number, 0 or more")
    return Target(str(body.get("url", "")), str(body.get("secret", "")), copies, float(delay))
