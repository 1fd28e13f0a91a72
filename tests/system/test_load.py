"""The load test of a release, against the stack: it passes, and a threshold that does not hold fails it."""

import dataclasses
import json
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest_asyncio

from scripts.operate import edge
from scripts.release import environments, load
from tests.support import shop

GENTLE = environments.Load(rate=5, seconds=2, failed=0, accept_p95_ms=10_000, settle_s=60)


@pytest_asyncio.fixture
async def purchase(market: shop.Shop) -> load.Purchase:
    """Products of these tests alone: what others count is not bought meanwhile."""
    category, admin = f"load-{uuid.uuid4()}", await market.admin()
    shop.taken(await admin.http.put(f"/api/v1/categories/{category}", json={"title": "Load"}))
    for _ in range(load.LINES):
        sku = shop.new_sku()
        made = shop.taken(await admin.post("/api/v1/products", shop.product_body(sku, category=category)))
        await market.put_stock(shop.Product(made["id"], sku, 1250), 100)
    return load.Purchase("card_approved", category)


def test_orders_at_a_gentle_rate_keep_the_thresholds(
    environment: Mapping[str, str], tmp_path: Path, purchase: load.Purchase
) -> None:
    assert load.test(environment["EDGE_URL"], GENTLE, tmp_path, purchase) == []
    told = json.loads((tmp_path / load.REPORT).read_text())["seen"]
    assert told["sent"] == 10
    assert told["confirmed"] > 0


async def test_customers_of_a_load_test_are_told_nothing_of_their_orders(environment: Mapping[str, str]) -> None:
    tokens = await load.customers(environment["EDGE_URL"])
    async with edge.Edge.connect(environment["EDGE_URL"]) as asked:
        for token in tokens:
            asked.token = token
            preferences = await asked.get("/api/v1/notifications/preferences")
            channels = {choice["kind"]: choice["channels"] for choice in preferences["choices"]}
            assert [channels[kind] for kind in load.QUIET] == [[], []]


def test_a_threshold_that_does_not_hold_is_told(
    environment: Mapping[str, str], tmp_path: Path, purchase: load.Purchase
) -> None:
    found = load.test(environment["EDGE_URL"], dataclasses.replace(GENTLE, accept_p95_ms=0.001), tmp_path, purchase)
    assert len(found) == 1
    assert found[0].startswith("p95 of acceptance is ")
