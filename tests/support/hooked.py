"""Where the webhooks of a simulator come in, without an edge."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

# Takes a signature and a body, and says with which HTTP status it is answered.
Taker = Callable[[str, bytes], Awaitable[int]]


@asynccontextmanager
async def receiving(take: Taker) -> AsyncIterator[str]:
    """A server that has what is sent to it taken: its URL."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=await take(request.headers.get("webhook-signature", ""), await request.read()))

    app = web.Application()
    app.router.add_post("/hooks", handle)
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url("/hooks"))
    finally:
        await server.close()
