"""What stands in front of a managed OpenSearch: TLS, and a check of credentials. It can go away and come back."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from scripts.operate.mesh_certificates import authority

Judge = Callable[[web.Request, bytes], bool]
_KEPT = ("content-type", "accept")


@dataclass
class Front:
    """Passes requests on to a node if `admits` says so; requests wait while `open` is not set."""

    node: str
    folder: Path
    admits: Judge = lambda _request, _body: True
    open: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    _port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self._port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.crt")

    async def start(self) -> None:
        """Listen: the first time on a free port, later on the same."""
        if not self._port:
            self._write_certificates()
        self.open.set()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "front.pem")
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Nobody listens any more."""
        self.open.set()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def _write_certificates(self) -> None:
        made = authority.Authority.made(authority.now())
        pair = made.issue("front", ["localhost"], authority.now())
        (self.folder / "ca.crt").write_bytes(made.pair.certificate)
        (self.folder / "front.pem").write_bytes(pair.key + pair.certificate)

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self.admits(request, body):
            return web.Response(status=401)
        if not self.open.is_set():
            self.waiting.set()
            await self.open.wait()
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, f"{self.node}{request.raw_path}", data=body, headers=headers) as answer,
        ):
            content = await answer.read()
            return web.Response(status=answer.status, body=content, content_type=answer.content_type)


def of_user(login: str) -> Judge:
    """Admits who knows `user:password`."""
    expected = f"Basic {base64.b64encode(login.encode()).decode()}"
    return lambda request, _: request.headers.get("authorization") == expected
