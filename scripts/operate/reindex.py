"""Builds the search index anew and waits until it is searched.

    python -m scripts.operate.reindex

It signs in at `EDGE_URL` as `ADMIN_EMAIL` with `ADMIN_PASSWORD` (what the environment does not say is taken from `.souk/env`) and
asks search for a build, or waits for the one that is under way. Searches go on meanwhile. Stopping it does not stop the build.

Exit code 0 when the new index is searched, 1 with one line on standard error when not.
"""

import asyncio
import sys
import time
from dataclasses import dataclass

from scripts.operate import environment
from scripts.operate.edge import Edge, EdgeError, Json
from services.chassis import settings

POLL_S = 0.5
BUILDING = "BUILDING"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the shop is, who runs it, and how long a build may take, in seconds."""

    edge_url: str = settings.env("EDGE_URL")
    admin_email: str = settings.env("ADMIN_EMAIL")
    admin_password: str = settings.env("ADMIN_PASSWORD", secret=True)
    most_s: float = settings.env("REINDEX_MOST_S", default=3600.0)


class NotBuiltError(Exception):
    """The build was not done in time."""


async def reindex(edge: Edge, *, most_s: float) -> Json:
    """Build the index anew: the index that is searched then. Raises EdgeError or NotBuiltError."""
    until = time.monotonic() + most_s
    index = await edge.post("/api/v1/search/index/rebuild", {})
    while index["state"] == BUILDING:
        if time.monotonic() > until:
            raise NotBuiltError(f"not done after {most_s:g} s: {index['products_read']} products read; it goes on")
        await asyncio.sleep(POLL_S)
        index = await edge.get("/api/v1/search/index")
    return index


async def _run(chosen: Settings) -> None:
    started = time.monotonic()
    async with Edge.connect(chosen.edge_url) as edge:
        await edge.sign_in(chosen.admin_email, chosen.admin_password)
        index = await reindex(edge, most_s=chosen.most_s)
    taken = time.monotonic() - started
    print(f"reindex: version {index['version']} with {index['products']} products is searched, after {taken:.1f} s")


def main() -> int:
    """Build the index. Answers with a process exit code."""
    try:
        asyncio.run(_run(settings.read(Settings, environment.here())))
    except settings.SettingsError as unset:
        print(f"reindex: {'; '.join(str(unset).splitlines())}: start the stack with `make run`", file=sys.stderr)
        return 1
    except (EdgeError, NotBuiltError, OSError) as failure:
        print(f"reindex: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
