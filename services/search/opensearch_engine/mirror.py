"""Brings the documents of the record to OpenSearch, and looks after the indexes there.

A build of an index has an index of its own in OpenSearch, its mirror, which is there before the build begins. The queue of
`pushes.py` fills it in bulk, in revisions: what comes late or again changes nothing. When a build is complete and its mirror
has all of it, the alias that reads is switched, and then the record says so. Whoever dies in between leaves rows that are
pushed again, or a switch that is made again.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from services.chassis import database, errors, metrics
from services.search import pushes, store
from services.search.opensearch_engine import cluster, index
from services.search.settings import OpenSearchSettings

_LOG = logging.getLogger(__name__)
_BATCH = 1_000
# Nobody waits for what is done here: it is given up later than a search, in seconds.
_PATIENCE: dict[str, Any] = {"request_timeout": 30}
# A mirror that no build has is deleted when it is older than this.
_NEW_MS = 60_000
# Answers to one document: it is there in a later revision, or it was to be deleted and is not there.
_LATER, _GONE = 409, 404


class Mirror:
    """Pushes documents, and keeps as many indexes in OpenSearch as the record has."""

    def __init__(self, db: database.Database, kept: cluster.Cluster, settings: OpenSearchSettings) -> None:
        self._db = db
        self._cluster = kept
        self._settings = settings

    async def push(self) -> int:
        """Bring the next documents of the queue to OpenSearch: how many. Raises TransientError.

        It returns when searches find them: only then do answers of before end.
        """
        rows, documents = await pushes.claim(self._db, _BATCH)
        if not rows:
            return 0
        try:
            pushed = await self._bulk(documents) if documents else []
        except BaseException:
            await asyncio.shield(pushes.release(self._db, rows))
            raise
        async with self._db.transaction() as transaction:
            await pushes.done(transaction, pushed)
            await store.next_generation(transaction)
        if len(pushed) < len(rows):
            await pushes.release(self._db, _left(rows, pushed))
        return len(pushed)

    async def make(self) -> str:
        """Make an index in OpenSearch, with the alias that is written to: the name of the mirror. Raises TransientError."""
        mirror = str(time.time_ns() // 1_000_000)
        name, called = index.name(self._settings, mirror), self._settings.index
        template = index.template(self._settings)
        body = {"aliases": {index.writing(self._settings, mirror): {"is_write_index": True}}}
        await self._cluster.ask(
            lambda client: client.indices.put_index_template(name=called, body=template, params=_PATIENCE)
        )
        await self._cluster.ask(lambda client: client.indices.create(index=name, body=body, params=_PATIENCE))
        return mirror

    async def look_after(self) -> int:
        """Begin to build an index with a mirror if there is none, and delete mirrors that are not used any more: 0.

        A mirror that was lost in OpenSearch is not searched any more, and another one is built. Raises TransientError.
        """
        live = await pushes.mirrored(self._db)
        there = await self._there()
        lost = [one.mirror for one in live if one.mirror and one.mirror not in there]
        if lost:
            await self._lose(lost)
        elif not any(one.mirror for one in live) and not await store.build(self._db):
            mirror = await self.make()
            async with self._db.transaction() as transaction:
                await store.begin_build(transaction, mirror=mirror)
        else:
            await self._delete(there - {one.mirror for one in live})
        return 0

    async def show(self, build: store.Build) -> bool:
        """Search this build from now on, if its mirror has all of it: whether it has. Raises TransientError."""
        async with self._db.transaction() as transaction:
            if await pushes.lacks(transaction, build.version):
                return False
        name, alias = index.name(self._settings, build.mirror), self._settings.index
        actions = [
            {"remove": {"index": f"{alias}-v*", "alias": alias, "must_exist": False}},
            {"add": {"index": name, "alias": alias}},
        ]
        await self._cluster.ask(lambda client: client.indices.refresh(index=name, params=_PATIENCE))
        await self._cluster.ask(
            lambda client: client.indices.update_aliases(body={"actions": actions}, params=_PATIENCE)
        )
        return True

    async def _bulk(self, documents: Sequence[pushes.Document]) -> list[pushes.Document]:
        """Send these documents: those that OpenSearch has, in their revision or a later one."""
        lines = index.bulk(self._settings, documents)
        answer = await self._cluster.ask(
            lambda client: client.bulk(body=lines, params={"refresh": "wait_for", **_PATIENCE})
        )
        statuses = [next(iter(item.values())) for item in answer["items"]]
        failed = [said for said in statuses if not _arrived(said)]
        if failed:
            _LOG.warning("documents were not taken", extra={"documents": len(failed), "first": str(failed[0])[:500]})
        if failed and len(failed) == len(statuses):
            raise errors.TransientError(
                f"opensearch: none of {len(failed)} documents was taken: {failed[0].get('error')}"
            )
        return [document for document, said in zip(documents, statuses, strict=True) if _arrived(said)]

    async def _there(self) -> set[str]:
        """The mirrors that OpenSearch has."""
        begins = f"{self._settings.index}-v"
        try:
            found = await self._cluster.ask(
                lambda client: client.indices.get_alias(index=f"{begins}*", params=_PATIENCE)
            )
        except cluster.MissingError:
            return set()
        return {name.removeprefix(begins) for name in found}

    async def _lose(self, lost: Sequence[str]) -> None:
        metrics.ALARMS.labels("search", "mirror_lost").inc()
        _LOG.error("index is not in OpenSearch any more", extra={"mirrors": lost})
        async with self._db.transaction() as transaction:
            await pushes.unmirror(transaction, lost)
            await store.next_generation(transaction)

    async def _delete(self, mirrors: Iterable[str]) -> None:
        """Delete these mirrors, but for new ones: somebody may be about to begin a build with it."""
        before = time.time_ns() // 1_000_000 - _NEW_MS
        old = [index.name(self._settings, mirror) for mirror in mirrors if mirror.isdecimal() and int(mirror) < before]
        if old:
            await self._cluster.ask(
                lambda client: client.indices.delete(index=old, params={"ignore_unavailable": "true", **_PATIENCE})
            )


def _arrived(said: dict[str, Any]) -> bool:
    """Whether OpenSearch has a document in the revision that was pushed, or a later one."""
    missing_index = "error" in said and said["status"] == _GONE
    return said["status"] < 300 or said["status"] == _LATER or (said["status"] == _GONE and not missing_index)


def _left(rows: Sequence[tuple[str, str]], pushed: Sequence[pushes.Document]) -> list[tuple[str, str]]:
    there = {(each.slot, each.product_id) for each in pushed}
    return [row for row in rows if row not in there]
