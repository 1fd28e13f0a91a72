"""What the order service knows of automatic promotions: asked of the real service, and of one that is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.chassis import database, errors
from services.chassis.rpc import client, identity, page_tokens
from services.order import clients
from services.promotion import rpc
from tests.integration.promotion import ordering
from tests.support import calls, programs
from tests.support.polling import eventually


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[clients.Promotions]:
    """The order service's client, which remembers an answer for no time at all."""
    peer = client.Peer(address, clients.PROMOTION, identity.Mesh(calls.MESH_KEY, "order"), traced=False)
    yield clients.Promotions(peer, age_s=0.0)
    await peer.stop()


async def test_the_last_answer_counts_until_there_is_a_newer_one_and_while_promotion_is_away(
    db: database.Database,
) -> None:
    uses = ordering.using(db)
    servicer = rpc.servicer(uses, page_tokens.PageTokens(db))
    async with contextlib.AsyncExitStack() as ends:
        async with calls.served(servicer, "promotion") as shop:
            promotions = await ends.enter_async_context(asking(shop.address))
            assert not await promotions.any_automatic()
            await ordering.made(uses)
            assert not await promotions.any_automatic(), "nobody waits for the next answer"
            await eventually(promotions.any_automatic)
        for _ in range(3):
            assert await promotions.any_automatic(), "its last answer, now that it is away"
            await asyncio.sleep(0.05)


async def test_a_process_that_never_had_an_answer_does_not_guess() -> None:
    async with asking(programs.free_address()) as promotions:
        with pytest.raises(errors.TransientError):
            await promotions.any_automatic()
