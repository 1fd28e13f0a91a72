"""The simulated carrier, as a client sees it: what it sells, how parcels fare, and what it remembers when it is killed."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.integration.simulators.conftest import Simulator

# A parcel is delivered after 30 of the carrier's hours.
TO_THE_DOOR_S = 30 * 3600


@pytest_asyncio.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[Simulator]:
    """A running carrier whose clock stands still; its log lies in `tmp_path`."""
    options = ["--listen", "127.0.0.1:0", "--state", str(tmp_path), "--speed", "0"]
    simulator = Simulator("scripts.simulators.carrier", options)
    await simulator.start()
    yield simulator
    await simulator.end()


@pytest_asyncio.fixture
async def desk(carrier: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running carrier."""
    async with httpx.AsyncClient(base_url=f"http://{carrier.address}", timeout=20) as client:
        yield client


def wanted(city: str = "Springfield", reference: str = "p1") -> dict[str, Any]:
    return {"reference": reference, "from": "main", "to": {"city": city, "country": "US"}}


async def buy(desk: httpx.AsyncClient, city: str = "Springfield", key: str = "k1") -> httpx.Response:
    return await desk.post("/v1/labels", json=wanted(city), headers={"Idempotency-Key": key})


async def effects(desk: httpx.AsyncClient, reference: str = "p1") -> list[str]:
    lines = (await desk.get("/v1/log", params={"reference": reference})).json()["lines"]
    return [line["effect"] for line in lines]


async def codes(desk: httpx.AsyncClient, label: str) -> list[str]:
    [way] = (await desk.post("/v1/ways", json={"labels": [label]})).json()["ways"]
    return [scan["code"] for scan in way["scans"]]


async def travel(desk: httpx.AsyncClient, city: str, last: str) -> list[str]:
    label = (await buy(desk, city)).json()["id"]
    await desk.post("/v1/manifests", json={"labels": [label]})
    await desk.put("/control", json={"speed": 100 * TO_THE_DOOR_S})
    async with asyncio.timeout(20):
        while (found := await codes(desk, label))[-1:] != [last]:
            await asyncio.sleep(0.01)
    return found


async def test_a_key_used_twice_buys_one_label(desk: httpx.AsyncClient) -> None:
    first, again = await buy(desk), await buy(desk)
    assert (first.status_code, first.json()) == (200, again.json())
    assert await effects(desk) == ["bought"]
    assert (await desk.get("/v1/labels", params={"reference": "p1"})).json() == first.json()


async def test_a_key_used_for_another_request_is_a_conflict(desk: httpx.AsyncClient) -> None:
    await buy(desk)
    other = await buy(desk, "Shelbyville")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")


async def test_another_key_buys_another_label_as_real_carriers_do(desk: httpx.AsyncClient) -> None:
    await buy(desk)
    await buy(desk, key="k2")
    assert await effects(desk) == ["bought", "bought"]


async def test_a_parcel_is_accepted_carried_and_delivered_and_each_scan_has_a_number(desk: httpx.AsyncClient) -> None:
    found = await travel(desk, "Springfield", "delivered")
    assert found == ["accepted", "in_transit", "out_for_delivery", "delivered"]


@pytest.mark.parametrize(
    ("city", "end"), [("Lost Creek", "lost"), ("Breaker Ridge", "damaged"), ("Return Point", "returned")]
)
async def test_parcels_to_some_places_do_not_arrive(desk: httpx.AsyncClient, city: str, end: str) -> None:
    assert "delivered" not in await travel(desk, city, end)


async def test_nothing_happens_to_a_parcel_that_was_not_handed_over(desk: httpx.AsyncClient) -> None:
    label = (await buy(desk)).json()["id"]
    await desk.put("/control", json={"speed": 100 * TO_THE_DOOR_S})
    assert await codes(desk, label) == []


async def test_a_label_is_taken_back_until_it_is_used(desk: httpx.AsyncClient) -> None:
    label = (await buy(desk)).json()["id"]
    for _ in range(2):
        assert (await desk.post(f"/v1/labels/{label}/void")).json()["status"] == "voided"
    taken = (await desk.post("/v1/manifests", json={"labels": [label]})).json()
    assert taken == {"accepted": [], "refused": [label]}
    other = (await buy(desk, key="k2")).json()["id"]
    await desk.post("/v1/manifests", json={"labels": [other]})
    late = await desk.post(f"/v1/labels/{other}/void")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "label_used")


async def test_an_address_to_which_nothing_is_brought_is_refused_each_time(desk: httpx.AsyncClient) -> None:
    for _ in range(2):
        refused = await buy(desk, "Refusal Bay")
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "address_undeliverable")
    assert await effects(desk) == ["refused"]


async def test_a_label_whose_answer_was_lost_is_found_by_its_reference(desk: httpx.AsyncClient) -> None:
    assert (await buy(desk, "Echo Cliff")).status_code == 500
    found = await desk.get("/v1/labels", params={"reference": "p1"})
    assert found.json()["status"] == "bought"
    assert (await buy(desk, "Echo Cliff")).json() == found.json()


async def test_errors_before_a_purchase_bind_nobody(desk: httpx.AsyncClient) -> None:
    assert [(await buy(desk, "Error Falls")).status_code for _ in range(3)] == [500, 500, 200]
    assert await effects(desk) == ["failed", "failed", "bought"]


async def test_a_carrier_that_is_killed_knows_its_labels_and_where_parcels_are(
    carrier: Simulator, desk: httpx.AsyncClient
) -> None:
    found = await travel(desk, "Springfield", "delivered")
    label = (await buy(desk)).json()["id"]
    await carrier.end(signal.SIGKILL)
    await carrier.start()
    async with httpx.AsyncClient(base_url=f"http://{carrier.address}", timeout=20) as again:
        assert await codes(again, label) == found
        assert (await buy(again)).json()["id"] == label


@pytest.mark.parametrize("body", [{}, {"labels": "x"}, {"labels": [1]}])
async def test_malformed_requests_are_refused(desk: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await desk.post("/v1/ways", json=body)).status_code == 400
    assert (await desk.post("/v1/labels", json=body, headers={"Idempotency-Key": "k"})).status_code == 400
