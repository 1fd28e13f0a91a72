"""The simulated carrier's webhooks: one for each scan, signed, sent until taken, and as badly as a test wants them."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.support import hooked, simulators
from tests.support.polling import eventually

WAY = ["accepted", "in_transit", "out_for_delivery", "delivered"]
AT_ONCE = 100_000_000


@dataclass
class Mailbox:
    """What came, and what is refused before that."""

    refusing: int = 0
    tried: int = 0
    came: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def take(self, signature: str, body: bytes) -> int:
        self.tried += 1
        if self.tried <= self.refusing:
            return 503
        seconds, code = (item.partition("=")[2] for item in signature.split(","))
        assert code == hmac.new(b"whsec", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
        self.came.append((signature, json.loads(body)))
        return 200

    @property
    def codes(self) -> list[str]:
        return [event["data"]["object"]["code"] for _, event in self.came]

    async def has(self, count: int) -> None:
        async def there() -> bool:
            return len(self.came) >= count

        await eventually(there, within_s=20)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running carrier whose clock stands still."""
    with simulators.carrier(tmp_path) as url:
        async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client:
            yield client


async def told(desk: httpx.AsyncClient, url: str, **how: Any) -> None:
    (await desk.put("/webhooks", json={"url": url, "secret": "whsec", **how})).raise_for_status()


async def handed_over(desk: httpx.AsyncClient, reference: str) -> str:
    wanted = {"reference": reference, "from": "main", "to": {"city": "Springfield", "country": "US"}}
    bought = await desk.post("/v1/labels", json=wanted, headers={"Idempotency-Key": reference})
    label = str(bought.json()["id"])
    await desk.post("/v1/manifests", json={"labels": [label]})
    return label


async def test_each_scan_is_told_of_once_with_what_the_carrier_says_when_it_is_asked(
    desk: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    async with hooked.receiving(mailbox.take) as url:
        await told(desk, url)
        await desk.put("/control", json={"speed": AT_ONCE})
        label = await handed_over(desk, "p1")
        await mailbox.has(len(WAY))

    [way] = (await desk.post("/v1/ways", json={"labels": [label]})).json()["ways"]
    about = sorted((event["data"]["object"] for _, event in mailbox.came), key=lambda scan: int(scan["number"]))
    assert about == [{"label": label, "reference": "p1", **scan} for scan in way["scans"]]
    assert {event["type"] for _, event in mailbox.came} == {f"scan.{code}" for code in WAY}


async def test_what_is_refused_is_sent_again(desk: httpx.AsyncClient, mailbox: Mailbox) -> None:
    mailbox.refusing = 2
    async with hooked.receiving(mailbox.take) as url:
        await told(desk, url)
        await handed_over(desk, "p1")
        await mailbox.has(1)

    assert (mailbox.tried, mailbox.codes) == (3, ["accepted"])


async def test_events_come_twice_and_in_another_order_when_a_test_wants_that(
    desk: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    async with hooked.receiving(mailbox.take) as url:
        await told(desk, url, copies=2, delay_seconds=1)
        await desk.put("/control", json={"speed": AT_ONCE})
        await handed_over(desk, "p1")
        await mailbox.has(2 * len(WAY))

    assert sorted(mailbox.codes) == sorted(WAY * 2)
    # Every second one leaves later.
    assert set(mailbox.codes[:4]) == {"accepted", "out_for_delivery"}


async def test_what_happened_before_somebody_wanted_to_be_told_is_not_told(
    desk: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    await handed_over(desk, "before")
    async with hooked.receiving(mailbox.take) as url:
        await told(desk, url)
        await handed_over(desk, "after")
        await mailbox.has(1)

    assert [event["data"]["object"]["reference"] for _, event in mailbox.came] == ["after"]


@pytest.mark.parametrize("wanted", [{"copies": 0}, {"copies": "two"}, {"copies": 99}, {"delay_seconds": -1}])
async def test_a_nonsensical_wish_is_refused(desk: httpx.AsyncClient, wanted: dict[str, Any]) -> None:
    assert (await desk.put("/webhooks", json={"url": "http://127.0.0.1:1", **wanted})).status_code == 400
