"""What the simulated payment provider still knows after it was killed."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import httpx

from tests.integration.simulators.conftest import ROOT, Simulator
from tests.integration.simulators.test_provider import asked, charge, effects, look_up, post

ORDERS = 200


async def revived(provider: Simulator, number: int = signal.SIGKILL) -> httpx.AsyncClient:
    await provider.end(number)
    await provider.start()
    return httpx.AsyncClient(base_url=f"http://{provider.address}", timeout=20)


async def test_charges_declines_and_failures_survive_a_kill(provider: Simulator, http: httpx.AsyncClient) -> None:
    held = (await charge(http, key="k1")).json()
    declined = (await charge(http, "card_declined", key="k2")).json()
    assert (await charge(http, "card_error_500", key="k3")).status_code == 500
    await post(http, f"/v1/charges/{held['id']}/capture", "k4", {"amount": 900})
    stats = (await http.get("/stats")).json()
    async with await revived(provider) as again:
        assert (await again.get("/stats")).json() == stats
        assert (await charge(again, key="k1")).json() == held
        assert (await charge(again, "card_declined", key="k2")).json() == declined
        assert [(await charge(again, "card_error_500", key="k3")).status_code for _ in range(2)] == [500, 200]
        assert (await look_up(again, "k1")).json()["captured_amount"] == 900


async def test_killed_under_load_it_keeps_every_answer_and_charges_nobody_twice(
    provider: Simulator, http: httpx.AsyncClient
) -> None:
    answered: dict[int, str] = {}
    half_done = asyncio.Event()

    async def place(number: int) -> None:
        answer = await post(http, "/v1/charges", f"k{number}", asked(reference=f"order-{number}"))
        answered[number] = answer.json()["id"]
        if len(answered) >= ORDERS // 2:
            half_done.set()

    calls = [asyncio.create_task(place(number)) for number in range(ORDERS)]
    await half_done.wait()
    async with await revived(provider) as again:
        await asyncio.gather(*calls, return_exceptions=True)
        assert ORDERS // 2 <= len(answered) <= ORDERS
        for number in range(ORDERS):
            repeated = await post(again, "/v1/charges", f"k{number}", asked(reference=f"order-{number}"))
            assert repeated.json()["id"] == answered.get(number, repeated.json()["id"])
            assert await effects(again, f"order-{number}") == ["authorized"]


async def test_a_line_cut_short_is_dropped(provider: Simulator, http: httpx.AsyncClient, tmp_path: Path) -> None:
    held = (await charge(http)).json()
    await provider.end()
    log = tmp_path / "provider.log"
    with log.open("ab") as end:
        end.write(b'{"seq":2,"time":"2026')
    async with await revived(provider) as again:
        await post(again, f"/v1/charges/{held['id']}/void", "k2", {})
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["seq"], line["effect"]) for line in lines] == [(1, "authorized"), (2, "voided")]


async def test_a_second_process_on_the_same_state_gives_up_in_one_line(provider: Simulator, tmp_path: Path) -> None:
    assert provider.address
    assert await outcome("--listen", "127.0.0.1:0", "--state", str(tmp_path)) == (
        1,
        f"payment provider: another process writes {tmp_path}/provider.log: stop it or choose another --state",
    )


async def test_a_port_in_use_is_reported_in_one_line(provider: Simulator, tmp_path: Path) -> None:
    status, said = await outcome("--listen", provider.address, "--state", str(tmp_path / "other"))
    assert status == 1
    assert said.startswith(f"payment provider: can't listen on {provider.address}")
    assert "\n" not in said


async def outcome(*arguments: str) -> tuple[int | None, str]:
    """The exit code of another provider's process, and what it said on standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scripts.simulators.provider", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 15)
    return process.returncode, said.decode().strip()
