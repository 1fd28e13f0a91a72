"""Waiting for what happens by itself, by looking again and again until a deadline."""

import asyncio
from collections.abc import Awaitable, Callable

# Long, since waiting costs nothing where all is well. Tests of speed give a deadline of their own.
PATIENCE_S = 30.0


async def eventually(happened: Callable[[], Awaitable[bool]], *, within_s: float = PATIENCE_S) -> None:
    """Return as soon as it happened. Raises TimeoutError when it does not."""
    async with asyncio.timeout(within_s):
        while not await happened():
            await asyncio.sleep(0.01)
