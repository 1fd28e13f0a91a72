"""Waiting for what happens by itself, by looking again and again until a deadline."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(happened: Callable[[], Awaitable[bool]], *, within_s: float = 5.0) -> None:
    """Return as soon as it happened. Raises TimeoutError when it does not."""
    async with asyncio.timeout(within_s):
        while not await happened():
            await asyncio.sleep(0.01)
