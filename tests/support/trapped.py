"""The program of a service as production runs it, which dies at the line that a trap names (`tests/support/traps.py`).

    TRAP_FILE=... python -m tests.support.trapped order

What its `main.py` puts together is what it always is; only the classes of the chassis that touch the database, Kafka and the
outside are these, which do the same and look for a trap around it. The service lives in a child of this process, which
starts it again when it was killed and the test takes away the note of its death: the imports need not be made again.
"""

import contextvars
import importlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kafka import KafkaConsumer
from redis.asyncio import Redis

from services import __main__ as program
from services.chassis import database, effects, kafka, loops, redis_store
from tests.support import traps

WRITTEN = "written"  # all rows are there, and nothing is committed
COMMITTED = "committed"
# How often Redis was used in this call, batch or turn.
STEPS = contextvars.ContextVar("steps", default=0)


def _kinds(records: Sequence[kafka.Record]) -> frozenset[str]:
    return frozenset(record.headers["ce_type"].rpartition(".")[2] for record in records)


class _Emitter:
    """The outbox of a service, with a line behind its last row."""

    def __init__(self, emitter: database.Emitter) -> None:
        self._emitter = emitter

    async def write(self, transaction: database.Transaction, events: Sequence[object]) -> None:
        await self._emitter.write(transaction, events)
        traps.passes(WRITTEN, *_names(transaction))


class Database(database.Database):
    """Has a line right before each commit and one right after it."""

    def __init__(self, url: str, emitter: database.Emitter, *, pool_size: int = 8) -> None:
        super().__init__(url, _Emitter(emitter), pool_size=pool_size)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        async with super().transaction() as transaction:
            # The first that is called after the commit: nobody was woken yet.
            transaction.after_commit(lambda: traps.passes(COMMITTED, *_names(transaction)))
            yield transaction
            if not transaction.events:
                traps.passes(WRITTEN)


def _names(transaction: database.Transaction) -> list[str]:
    return [type(event).__name__ for event in transaction.events]


class Producer(kafka.Producer):
    """Has a line before records are sent, and one when the brokers have acknowledged them."""

    async def publish(self, records: Sequence[kafka.Record]) -> list[bool]:
        traps.ABOUT.set(_kinds(records))
        traps.passes("read")
        acknowledged = await super().publish(records)
        traps.passes("acknowledged")
        return acknowledged


class Consumer(kafka.Consumer):
    """Knows what it handles."""

    async def _handle(self, records: Sequence[kafka.Record]) -> None:
        traps.DOING.set("consumer")
        traps.ABOUT.set(_kinds(records))
        STEPS.set(0)
        await super()._handle(records)


class RedisStore(redis_store.RedisStore):
    """Has a line before and after each use of Redis. They are counted in each call, batch of events and turn of a loop."""

    @asynccontextmanager
    async def commands(self) -> AsyncIterator[Redis]:
        step = f"step-{STEPS.get() + 1}"
        STEPS.set(STEPS.get() + 1)
        traps.passes("asked", step)
        async with super().commands() as redis:
            yield redis
        traps.passes("answered", step)


class LibraryConsumer(KafkaConsumer):  # type: ignore[misc]  # the library has no types
    """Has a line after the offsets are committed, of all that was polled until then. It lives in a thread of its own."""

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **options)
        self._polled: set[str] = set()

    def poll(self, *arguments: Any, **options: Any) -> Any:
        polled = super().poll(*arguments, **options)
        self._polled |= _kinds([record for batch in polled.values() for record in batch])
        return polled

    def commit(self, *arguments: Any, **options: Any) -> Any:
        answer = super().commit(*arguments, **options)
        traps.DOING.set("consumer")
        traps.ABOUT.set(frozenset(self._polled))
        self._polled = set()
        traps.passes("offsets-committed")
        return answer


class Loop(loops.Loop):
    """Knows which loop it is by the last word of its name, and has a line after each turn."""

    def __init__(self, name: str, work: loops.Work, pace: loops.Pace, *, leave: loops.Leave | None = None) -> None:
        async def turn() -> int:
            word = name.rpartition("-")[2]
            traps.DOING.set("effect" if word == "settle" else word)
            traps.ABOUT.set(frozenset())
            STEPS.set(0)
            done = await work()
            traps.passes("done")
            return done

        super().__init__(name, turn, pace, leave=leave)


class _Effect:
    """A call outside, with a line before it and one when it is answered."""

    def __init__(self, effect: effects.Effect[Any, Any]) -> None:
        self._effect = effect

    async def claim(self, transaction: database.Transaction, most: int) -> Sequence[Any]:
        return await self._effect.claim(transaction, most)

    async def perform(self, work: Any) -> Any:
        traps.DOING.set("effect")
        traps.ABOUT.set(_asked([work]))
        traps.passes("claimed")
        outcome = await self._effect.perform(work)
        traps.passes("answered")
        return outcome

    async def settle(self, transaction: database.Transaction, outcomes: Sequence[tuple[Any, Any]]) -> bool:
        traps.ABOUT.set(_asked([work for work, _ in outcomes]))
        return await self._effect.settle(transaction, outcomes)


def _asked(works: Sequence[Any]) -> frozenset[str]:
    """What is asked of the outside: the provider's or the carrier's verb, or the mail's template."""
    return frozenset(_verb(work) for work in works)


def _verb(work: Any) -> str:
    if hasattr(work, "notification"):
        return str(work.notification.template)
    return str((work.payment if hasattr(work, "payment") else work.parcel).verb)


class Worker(effects.Worker[Any, Any]):
    """Works an effect that has lines."""

    def __init__(
        self, db: database.Database, effect: effects.Effect[Any, Any], limits: effects.Concurrency, *, name: str
    ) -> None:
        super().__init__(db, _Effect(effect), limits, name=name)


def _lay() -> None:
    """Let the chassis use these classes."""
    for room, made in (
        (database, Database),
        (kafka, Producer),
        (kafka, Consumer),
        (redis_store, RedisStore),
        (loops, Loop),
        (effects, Worker),
    ):
        setattr(room, made.__name__, made)
    setattr(kafka.consumer, KafkaConsumer.__name__, LibraryConsumer)


def _life(arguments: Sequence[str]) -> int:
    """Run the program in a child, until it is killed or ends: its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os._exit(program.main(arguments))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        traps.note_death(child)
    return code


def _lives(arguments: Sequence[str]) -> int:
    """One life after the other, as long as each is ended by a trap. Answers with the exit code of the last."""
    while (code := _life(arguments)) == -signal.SIGKILL:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while traps.is_dead():
            time.sleep(0.01)
    return code


if __name__ == "__main__":
    _lay()
    for name in sys.argv[1:]:
        importlib.import_module(f"services.{name}.main")
    sys.exit(_lives(sys.argv[1:]))
