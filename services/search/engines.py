"""What searches, by the settings: PostgreSQL alone, or OpenSearch with PostgreSQL as the record of its documents."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis import database, loops, process, retention
from services.search import postgres_engine, pushes, usecases
from services.search.opensearch_engine import cluster, engine, mirror, selecting
from services.search.settings import EngineKind, OpenSearchSettings, Settings

# What changed is brought to OpenSearch this much later at most, in seconds.
_PUSH_PACE = loops.Pace(0.1, 0.2)
_LOOK_AFTER_PACE = loops.Pace(5.0)
_GAUGES_PACE = loops.Pace(10.0)
_UNMIRROR_PACE = loops.Pace(60.0)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The engine, the mirror that it needs, what both need while the process runs, and the work there is because of it."""

    engine: usecases.Engine
    mirror: usecases.Mirror | None
    parts: tuple[process.Part, ...]
    working: tuple[process.Part, ...]


def choose(settings: Settings, environ: Mapping[str, str], db: database.Database) -> Chosen:
    """The engine that the settings name. Raises SettingsError when it lacks settings of its own."""
    record = postgres_engine.PostgresEngine(db)
    if settings.engine is EngineKind.POSTGRES:
        return Chosen(
            record, None, (), (loops.Loop("search-unmirror", functools.partial(unmirror, db), _UNMIRROR_PACE),)
        )
    chosen = OpenSearchSettings.of(environ)
    asked = cluster.Cluster(chosen)
    kept = mirror.Mirror(db, asked, chosen)
    found = engine.OpenSearchEngine(asked, db, chosen.index)
    gauges = retention.Gauges(db, usecases.SERVICE, pushes.QUEUES)
    work = (
        loops.Loop("search-push", kept.push, _PUSH_PACE),
        loops.Loop("search-mirrors", kept.look_after, _LOOK_AFTER_PACE),
        loops.Loop("search-pushes-gauges", gauges.work, _GAUGES_PACE),
    )
    return Chosen(selecting.Selecting(db, found, record), kept, (asked,), work)


async def unmirror(db: database.Database) -> int:
    """Let go of mirrors that another engine has left: nothing is pushed to them any more. 0: it is done again after a pause."""
    if left := [each.mirror for each in await pushes.mirrored(db) if each.mirror]:
        async with db.transaction() as transaction:
            await pushes.unmirror(transaction, left)
    return 0
