"""What a few kilobytes may cost a running service: nobody else notices them, and neither does its processor or memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx
import pytest

from tests.support import shop

# A tenth of what each of these attacks took once; the others who use the stack meanwhile have their share of it.
MOST_CPU_S = 2.0
MOST_MEMORY_BYTES = 200 * 1024 * 1024
MILLION = 1_000_000
HOME = shop.ADDRESS
BATCH = "/souk.catalog.v1.CatalogService/BatchGetProducts"


async def used(environment: Mapping[str, str], service: str) -> tuple[float, float]:
    """The processor seconds that a service's process has taken so far, and the memory it has now."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"http://{environment[f'{service.upper()}_METRICS_ADDR']}/metrics", timeout=30)).text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("process_"))
    return float(lines["process_cpu_seconds_total"]), float(lines["process_resident_memory_bytes"])


@asynccontextmanager
async def cheap(environment: Mapping[str, str], service: str) -> AsyncIterator[None]:
    """What happens in here must cost this service little."""
    cpu, memory = await used(environment, service)
    yield
    cpu_after, memory_after = await used(environment, service)
    assert cpu_after - cpu < MOST_CPU_S
    assert memory_after - memory < MOST_MEMORY_BYTES


async def refused(address: str, path: str, sent: bytes, metadata: Any = (), *, gzip: bool = False) -> grpc.StatusCode:
    """The code that a call with these bytes ends with."""
    compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
    options = [("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(address, options=options, compression=compression) as channel:
        call: Any = channel.unary_unary(path)
        try:
            await call(sent, metadata=metadata, timeout=20)
        except grpc.aio.AioRpcError as error:
            return error.code()
    raise AssertionError("not refused")


@pytest.mark.parametrize("gzip", [True, False])
@pytest.mark.parametrize("door", ["edge", "service"])
async def test_a_million_elements_on_the_wire_cost_a_service_little(
    environment: Mapping[str, str], door: str, *, gzip: bool
) -> None:
    address = environment["EDGE_URL"].removeprefix("http://") if door == "edge" else environment["CATALOG_ADDR"]
    async with cheap(environment, "catalog"):
        code = await refused(address, BATCH, b"\x0a\x00" * (MILLION * 7 // 10), gzip=gzip)
    assert code not in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL}


async def test_a_megabyte_of_empty_items_costs_a_service_little_and_is_refused_by_a_reason(
    environment: Mapping[str, str], market: shop.Shop
) -> None:
    customer = await market.customer()
    items = '{"items":[' + ",".join(["{}"] * 340_000) + "]}"
    wishes = '{"choices":[' + ",".join(["{}"] * 340_000) + "]}"
    kind = {"content-type": "application/json"}
    async with cheap(environment, "order"), cheap(environment, "notification"):
        ordered = await customer.http.post("/api/v1/orders", content=items, headers=kind)
        wished = await customer.http.put("/api/v1/notifications/preferences", content=wishes, headers=kind)
    for answer in (ordered, wished):
        assert (answer.status_code, reason(answer)) == (400, "REQUEST_TOO_LARGE")


async def test_the_errors_of_one_caller_do_not_touch_the_calls_of_others(market: shop.Shop) -> None:
    """Trailers that are too large end a connection, and with it the calls of everybody else on it."""
    attackers = [await market.customer() for _ in range(4)]
    others = [await market.stranger() for _ in range(4)]
    bad = [attack(person, count) for person in attackers for count in (60, 75, 99, 100, 101, 300, 2000)]
    good = [look(person) for person in others for _ in range(20)]
    answers = await asyncio.gather(*bad, *good)
    refusals = [(answer.status_code, reason(answer)) for answer in answers[: len(bad)]]
    assert refusals == [(400, "REQUEST_INVALID")] * len(bad)
    assert [answer.status_code for answer in answers[len(bad) :]] == [200] * len(good)


async def attack(person: shop.Person, count: int) -> httpx.Response:
    return await person.http.post("/api/v1/orders", json={"items": [{}] * count, "shipping_address": HOME})


async def look(person: shop.Person) -> httpx.Response:
    return await person.http.get("/api/v1/categories")


def reason(answer: httpx.Response) -> str:
    details: Sequence[Mapping[str, str]] = json.loads(answer.text)["details"]
    return next(detail["reason"] for detail in details if "reason" in detail)


async def test_an_idempotency_key_and_another_request_id_are_refused_and_nothing_is_ordered(
    market: shop.Shop,
) -> None:
    tea, customer = await market.product(), await market.customer()
    basket = {**shop.basket((tea, 1)), "request_id": "one"}
    answer = await customer.post("/api/v1/orders", basket, key="another")
    assert (answer.status_code, reason(answer)) == (400, "IDEMPOTENCY_KEY_MISMATCH")
    assert shop.taken(await customer.http.get("/api/v1/orders"))["orders"] == []
    placed = await customer.place(basket, key="one")
    assert (await customer.place(basket))["id"] == placed["id"]
