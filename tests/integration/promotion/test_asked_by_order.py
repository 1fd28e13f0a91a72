"""What the order service knows of automatic promotions: asked of the real service, and of one that is away."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.chassis import database, errors
from services.chassis.rpc import client, identity, page_tokens
from services.order import clients
from services.promotion import rpc
from tests.integration.promotion import ordering
from tests.support import calls, ports
from tests.support.polling import eventually


@asynccontextmanager
async def asking(address: str, clock: Callable[[], float] = time.monotonic) -> AsyncIterator[clients.Promotions]:
    """The order service's client, which remembers an answer for a second of this clock."""
    peer = client.Peer(address, clients.PROMOTION, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
    yield clients.Promotions(peer, age_s=1.0, clock=clock)
    await peer.stop()


async def test_an_answer_is_renewed_beside_the_orders_that_use_it_and_awaited_after_a_quiet_spell(
    db: database.Database,
) -> None:
    uses, now = ordering.using(db), 0.0
    async with (
        calls.served(rpc.servicer(uses, page_tokens.PageTokens(db)), "promotion") as shop,
        asking(shop.address, lambda: now) as promotions,
    ):
        assert not await promotions.any_automatic()
        made = await ordering.made(uses)
        assert not await promotions.any_automatic(), "remembered for a second"
        now = 1.5
        assert not await promotions.any_automatic(), "nobody waits for the next answer"
        await eventually(promotions.any_automatic)
        await uses.administering.end(made.id)
        now = 4.0
        assert not await promotions.any_automatic(), "the last answer is too old to be used"


async def test_the_last_answer_counts_while_promotion_is_away(db: database.Database) -> None:
    uses, now = ordering.using(db), 0.0
    await ordering.made(uses)
    async with contextlib.AsyncExitStack() as ends:
        async with calls.served(rpc.servicer(uses, page_tokens.PageTokens(db)), "promotion") as shop:
            promotions = await ends.enter_async_context(asking(shop.address, lambda: now))
            assert await promotions.any_automatic()
        for later in (1.5, 10.0, 20.0):
            now = later
            assert await promotions.any_automatic()


async def test_a_process_that_never_had_an_answer_does_not_guess() -> None:
    async with asking(ports.free_address()) as promotions:
        with pytest.raises(errors.TransientError):
            await promotions.any_automatic()
