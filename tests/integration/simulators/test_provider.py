"""The simulated payment provider, as a client sees it: its answers, its failures, and what it remembers of them."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.integration.simulators.conftest import Simulator

LOST = (httpx.RemoteProtocolError, httpx.ReadError)


def asked(card: str = "card_approved", **changes: Any) -> dict[str, Any]:
    return {"amount": 2500, "currency": "USD", "payment_method": card, "reference": "order-1"} | changes


async def post(http: httpx.AsyncClient, path: str, key: str, body: dict[str, Any]) -> httpx.Response:
    return await http.post(path, json=body, headers={"Idempotency-Key": key})


async def charge(http: httpx.AsyncClient, card: str = "card_approved", key: str = "k1") -> httpx.Response:
    return await post(http, "/v1/charges", key, asked(card))


async def look_up(http: httpx.AsyncClient, key: str = "k1") -> httpx.Response:
    return await http.get("/v1/charges", params={"idempotency_key": key})


async def effects(http: httpx.AsyncClient, reference: str = "order-1") -> list[str]:
    lines = (await http.get("/v1/log", params={"reference": reference})).json()["lines"]
    return [line["effect"] for line in lines]


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_a_key_used_twice_charges_once(http: httpx.AsyncClient) -> None:
    first = await charge(http)
    again = await charge(http)
    assert first.json() | {"id": ""} == {
        "id": "",
        "status": "authorized",
        "amount": 2500,
        "currency": "USD",
        "reference": "order-1",
        "payment_method": "card_approved",
        "captured_amount": 0,
        "refunded_amount": 0,
    }
    assert (again.status_code, again.json()) == (200, first.json())
    assert await effects(http) == ["authorized"]


async def test_a_key_used_for_another_request_is_a_conflict(http: httpx.AsyncClient) -> None:
    charge_id = (await charge(http)).json()["id"]
    other = await post(http, "/v1/charges", "k1", asked(amount=2501))
    capture = await post(http, f"/v1/charges/{charge_id}/capture", "k1", {})
    assert code(other) == code(capture) == (409, "idempotency_key_reused")
    assert await effects(http) == ["authorized"]


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("card_declined", "card_declined"),
        ("card_insufficient_funds", "insufficient_funds"),
        ("card_from_mars", "unknown_payment_method"),
    ],
)
async def test_a_decline_is_remembered(http: httpx.AsyncClient, card: str, reason: str) -> None:
    first, again, known = await charge(http, card), await charge(http, card), await look_up(http)
    assert code(first) == (402, reason)
    assert first.json() == again.json() == known.json()
    assert (known.status_code, known.json()["status"]) == (200, "declined")
    assert await effects(http) == ["declined"]


async def test_a_lost_answer_of_a_charge_can_be_asked_for(http: httpx.AsyncClient) -> None:
    await http.put("/control", json={"hang_seconds": 0.05})
    with pytest.raises(LOST):
        await charge(http, "card_timeout_after_charge")
    known, again = await look_up(http), await charge(http, "card_timeout_after_charge")
    assert known.status_code == again.status_code == 200
    assert known.json() == again.json()
    assert await effects(http) == ["authorized"]


async def test_a_call_that_never_arrived_leaves_nothing_behind_and_may_be_repeated(http: httpx.AsyncClient) -> None:
    await http.put("/control", json={"hang_seconds": 0.05})
    with pytest.raises(LOST):
        await charge(http, "card_timeout_before_charge")
    assert code(await look_up(http)) == (404, "charge_not_found")
    assert (await charge(http, "card_timeout_before_charge")).status_code == 200
    assert await effects(http) == ["failed", "authorized"]


async def test_two_internal_errors_come_before_the_charge(http: httpx.AsyncClient) -> None:
    statuses = [(await charge(http, "card_error_500")).status_code for _ in range(4)]
    assert statuses == [500, 500, 200, 200]
    assert await effects(http) == ["failed", "failed", "authorized"]


async def test_an_internal_error_may_hide_a_charge(http: httpx.AsyncClient) -> None:
    assert (await charge(http, "card_charge_then_500")).status_code == 500
    assert (await look_up(http)).json()["status"] == "authorized"
    assert (await charge(http, "card_charge_then_500")).status_code == 200
    assert await effects(http) == ["authorized"]


async def test_a_slow_card_is_charged_at_once_and_answers_late(http: httpx.AsyncClient) -> None:
    await http.put("/control", json={"slow_seconds": 0.5})
    started = time.monotonic()
    answer = asyncio.create_task(charge(http, "card_slow"))
    while not await effects(http):
        await asyncio.wait([answer], timeout=0.01)
    assert not answer.done()
    assert (await answer).status_code == 200
    assert time.monotonic() - started >= 0.5


async def test_a_refused_capture_leaves_the_money_held(http: httpx.AsyncClient) -> None:
    path = f"/v1/charges/{(await charge(http, 'card_capture_refused')).json()['id']}"
    refused = await post(http, f"{path}/capture", "k2", {"amount": 2500})
    again = await post(http, f"{path}/capture", "k2", {"amount": 2500})
    assert code(refused) == code(again) == (402, "capture_refused")
    assert (await http.get(path)).json()["status"] == "authorized"
    assert (await post(http, f"{path}/void", "k3", {})).json()["status"] == "voided"


async def test_money_is_captured_once_and_given_back_in_parts(http: httpx.AsyncClient) -> None:
    path = f"/v1/charges/{(await charge(http)).json()['id']}"
    assert (await post(http, f"{path}/capture", "c1", {"amount": 2000})).json()["captured_amount"] == 2000
    assert code(await post(http, f"{path}/capture", "c2", {})) == (409, "charge_already_captured")
    assert code(await post(http, f"{path}/void", "v1", {})) == (409, "charge_already_captured")
    for key in ("r1", "r1", "r2"):
        answer = await post(http, f"{path}/refund", key, {"amount": 800})
        assert answer.status_code == 200
    assert answer.json() | {"refunded_amount": 1600, "status": "partially_refunded"} == answer.json()
    assert code(await post(http, f"{path}/refund", "r3", {"amount": 800})) == (409, "refund_exceeds_capture")
    assert (await look_up(http)).json() == (await http.get(path)).json()
    assert (await http.get("/stats")).json() == {
        "charges": 1,
        "by_currency": {"USD": {"authorized": 2500, "captured": 2000, "refunded": 1600, "voided": 0}},
    }


async def test_a_voided_charge_stays_voided(http: httpx.AsyncClient) -> None:
    path = f"/v1/charges/{(await charge(http)).json()['id']}"
    assert [(await post(http, f"{path}/void", key, {})).json()["status"] for key in ("v1", "v1", "v2")] == [
        "voided"
    ] * 3
    assert code(await post(http, f"{path}/capture", "c1", {})) == (409, "charge_not_capturable")
    assert code(await post(http, f"{path}/refund", "r1", {})) == (409, "charge_not_refundable")
    assert await effects(http) == ["authorized", "voided", "unchanged", "refused", "refused"]


@pytest.mark.parametrize(
    "body",
    [
        asked(amount=0),
        asked(amount=-1),
        asked(amount=1.5),
        asked(amount=True),
        asked(amount="1"),
        asked(currency="usd"),
        asked(currency=""),
        asked(payment_method=None),
        asked(reference="x" * 256),
        [],
        "",
    ],
)
async def test_a_malformed_charge_is_refused_and_not_remembered(http: httpx.AsyncClient, body: Any) -> None:
    assert code(await post(http, "/v1/charges", "k1", body)) == (400, "invalid_request")
    assert (await charge(http)).status_code == 200


async def test_a_post_without_a_key_is_refused(http: httpx.AsyncClient) -> None:
    assert code(await http.post("/v1/charges", json=asked())) == (400, "idempotency_key_missing")
    assert code(await http.post("/v1/charges/ch_1/void")) == (400, "idempotency_key_missing")


async def test_an_unknown_charge_is_not_found(http: httpx.AsyncClient) -> None:
    assert code(await http.get("/v1/charges/ch_1")) == (404, "charge_not_found")
    assert code(await post(http, "/v1/charges/ch_1/void", "k1", {})) == (404, "charge_not_found")


async def test_the_modes_fail_every_call_and_charge_nothing(http: httpx.AsyncClient) -> None:
    await http.put("/control", json={"mode": "down", "hang_seconds": 0.05})
    assert code(await charge(http)) == (503, "unavailable")
    await http.put("/control", json={"mode": "errors"})
    assert code(await look_up(http)) == (500, "internal_error")
    await http.put("/control", json={"mode": "hang"})
    with pytest.raises(LOST):
        await charge(http)
    assert (await http.get("/healthz")).status_code == 200
    assert (await http.delete("/control")).json()["mode"] == "normal"
    assert await effects(http) == []
    assert (await charge(http)).status_code == 200


async def test_a_wrong_control_is_refused(http: httpx.AsyncClient) -> None:
    assert code(await http.put("/control", json={"mode": "sad"})) == (400, "invalid_request")
    assert code(await http.put("/control", content=b"{")) == (400, "invalid_request")


async def test_with_errors_at_random_a_patient_caller_pays_once(http: httpx.AsyncClient) -> None:
    await http.put("/control", json={"error_rate": 0.5, "latency_ms": 1})
    for number in range(20):
        body = asked(reference=f"order-{number}")
        while (await post(http, "/v1/charges", f"k{number}", body)).status_code == 500:
            pass
    await http.delete("/control")
    assert [await effects(http, f"order-{number}") for number in range(20)] == [["authorized"]] * 20


async def test_sigterm_ends_it_while_a_call_hangs(provider: Simulator, http: httpx.AsyncClient) -> None:
    await http.put("/control", json={"mode": "hang"})
    hanging = asyncio.create_task(charge(http))
    await asyncio.wait([hanging], timeout=0.1)
    started = time.monotonic()
    assert await provider.end() == 0
    assert time.monotonic() - started < 3
    with pytest.raises(httpx.TransportError):
        await hanging
