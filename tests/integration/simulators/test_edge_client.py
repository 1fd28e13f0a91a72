"""The REST client of the scripts, against a server that answers as the edge does."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from scripts.operate.edge import Edge, EdgeError, Json, RefusedError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def served(handler: Handler) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    return server


async def streamed(chunks: list[bytes]) -> list[Json]:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    async with await served(handler) as server, Edge.connect(str(server.make_url("/"))) as edge:
        return [message async for message in edge.stream("/watch")]


@pytest.mark.parametrize(
    "content",
    ['{"event":"Placed [1], 2"}\n{"event":"Señor"}\n', '[{"event":"Placed [1], 2"}\n,{"event":"Señor"}]'],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_streamed_messages_arrive_whole_however_they_are_cut(content: str, size: int) -> None:
    raw = content.encode()
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    assert [message["event"] for message in await streamed(chunks)] == ["Placed [1], 2", "Señor"]


async def test_a_limited_call_is_repeated_when_it_may_be() -> None:
    statuses = [429, 429, 200]

    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"id": "7"}, status=statuses.pop(0), headers={"Retry-After": "0"})

    async with await served(handler) as server, Edge.connect(str(server.make_url("/"))) as edge:
        assert await edge.post("/things", {}, key="k") == {"id": "7"}


async def test_a_refusal_tells_its_reason_and_every_wrong_field_in_one_line() -> None:
    details = [
        {"reason": "FIELDS_INVALID"},
        {"field_violations": [{"field": "email", "description": "no"}, {"field": "password", "description": "short"}]},
    ]

    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"code": 3, "message": "wrong", "details": details}, status=400)

    async with await served(handler) as server, Edge.connect(str(server.make_url("/"))) as edge:
        with pytest.raises(RefusedError) as refusal:
            await edge.get("/things")
    assert refusal.value.reason == "FIELDS_INVALID"
    assert str(refusal.value) == "GET /things: 400 FIELDS_INVALID: wrong; email: no; password: short"


async def test_nobody_there_is_said_in_one_line() -> None:
    async with Edge.connect("http://127.0.0.1:1") as edge:
        with pytest.raises(EdgeError, match=r"^http://127\.0\.0\.1:1 does not answer GET /things: .*$"):
            await edge.get("/things")
