"""Tasks that serve many callers, or outlive whoever starts them: they begin with a fresh context.

A task inherits the context of its creator: the identity of a caller, the ids in its log lines, the trace it is in. What works
for others too, or longer, would go on under the first caller's name. `asyncio.create_task` is for nobody else here.
"""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def spawn(work: Coroutine[Any, Any, Result], *, name: str) -> asyncio.Task[Result]:
    """Run this as a task of its own. Whoever starts it keeps the reference: asyncio does not."""
    return asyncio.create_task(work, name=name, context=contextvars.Context())
