"""The consumer: a thread polls, the event loop handles, and what is handled is committed. It keeps its place in the group.

Offsets are committed once a second and when it stops, not behind each batch: that is a round trip and a write at the brokers,
and what a consumer that dies has not committed is only read again: an inbox notices that, and who has none handles events
idempotently.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from services.chassis import loops
from services.chassis.kafka import fetched
from services.chassis.kafka.connection import Connection, Record

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a consumer reads: topics, as a group, at most `batch` records at a time.

    gather_s is how long it pauses after a small batch at the least, in seconds (`loops.gathering`): what comes meanwhile is
    handled together. types are the messages that it handles, by their full names: other records are passed over before they
    are read, but for some. None: it is given all.
    """

    topics: Sequence[str]
    group: str
    batch: int
    gather_s: float = 0.0
    types: frozenset[str] = frozenset()


# What one poll gave, by partition.
Polled = Mapping[TopicPartition, Sequence[Record]]

# Handles a batch to its end; its offsets are committed after it returns. It retries by itself and raises nothing.
Deliver = Callable[[Sequence[Record]], Awaitable[None]]

# How long a stopping consumer waits for the batch under way, in seconds. What is cut off is repeated by the next owner.
STOP_GRACE_S = 10.0
# How long brokers wait for a record. The first one is answered with at once, so a long wait only saves questions; what a
# partition holds that was just assigned may wait as long for its first fetch.
FETCH_MS = 3000
# How long a poll waits for records, and the least that an empty one takes.
POLL_MS = 500
PAUSE_S = 0.02
# How long what is handled may wait for its offsets to be committed, in seconds.
COMMIT_S = 1.0


class Consumer:
    """Reads in a thread of its own and hands batches to `deliver` on the event loop, one at a time.

    Only handled records are ever committed. A batch that takes long (an outage behind it) keeps its place in the group:
    the partitions are paused and polling goes on.
    """

    def __init__(self, connection: Connection, subscription: Subscription, deliver: Deliver) -> None:
        self._connection = connection
        self._subscription = subscription
        self._deliver = deliver
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        name = f"consumer-{self._subscription.group}"
        self._thread = threading.Thread(target=self._run, args=(loop,), name=name, daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Finish the batch under way, commit, leave the group."""
        self._stopping.set()
        if self._thread:
            await asyncio.to_thread(self._thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            try:
                self._session(loop)
            except KafkaError as error:
                _LOG.warning("consumer reconnects", extra={"cause": repr(error)})
                self._stopping.wait(1.0)
            except Exception:
                # A defect must not end the thread: nothing was committed, and the log tells.
                _LOG.exception("consumer failed")
                self._stopping.wait(1.0)

    def _session(self, loop: asyncio.AbstractEventLoop) -> None:
        consumer = self._connected()
        handled = Handled(consumer)
        try:
            self._await_topics(consumer)
            while not self._stopping.is_set():
                remind(consumer)
                asked = time.monotonic()
                polled = consumer.poll(timeout_ms=POLL_MS)
                taken = time.monotonic()
                if polled and self._delivered(consumer, loop, polled):
                    handled.add(polled)
                    if sum(map(len, polled.values())) < min(loops.FEW, self._subscription.batch):
                        took_s = time.monotonic() - taken
                        self._stopping.wait(loops.gathering(self._subscription.gather_s, took_s))
                elif time.monotonic() - asked < PAUSE_S:
                    # A poll that has nothing to wait for (no partitions, a heartbeat that is due) answers at once.
                    self._stopping.wait(PAUSE_S)
                handled.commit(older_than_s=COMMIT_S)
            handled.commit()
        finally:
            consumer.close(autocommit=False, timeout_ms=5000)

    def _await_topics(self, consumer: KafkaConsumer) -> None:
        """Wait until the brokers know all topics.

        A member that joins its group before it knows a topic's partitions is given none of them, and the library may not
        notice when it learns of them later.
        """
        missing = set(self._subscription.topics)
        while missing and not self._stopping.is_set():
            # One question for all topics: the brokers answer each with the whole list.
            missing -= consumer.topics()
            if missing:
                # The brokers' answer is the same for both: it lists no topics that the caller is not authorised to describe.
                _LOG.warning("topics are missing, or must not be read", extra={"topics": sorted(missing)})
                self._stopping.wait(1.0)

    def _connected(self) -> KafkaConsumer:
        consumer = self._connection.opened(
            KafkaConsumer,
            group_id=self._subscription.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=self._subscription.batch,
            partition_assignment_strategy=[CooperativeStickyAssignor],
            session_timeout_ms=6000,
            heartbeat_interval_ms=1500,
            fetch_max_wait_ms=FETCH_MS,
            # A request that a dying broker swallowed is given up after this; the default would wait for 30 s.
            request_timeout_ms=10000,
            metrics_enabled=False,
        )
        fetched.quickly(consumer, self._subscription.types)
        consumer.subscribe(list(self._subscription.topics))
        return consumer

    def _delivered(self, consumer: KafkaConsumer, loop: asyncio.AbstractEventLoop, polled: Polled) -> bool:
        """Wait until the batch is handled, without losing the group. False when the process stops before that."""
        records = [record for batch in polled.values() for record in batch]
        handled = asyncio.run_coroutine_threadsafe(self._handle(records), loop)
        waited = 0.0
        while not _wait(handled, 2.0):
            waited += 2.0
            if self._stopping.is_set() and waited >= STOP_GRACE_S:
                handled.cancel()
                return False
            _keep_alive(consumer)
        handled.result()
        if waited:
            consumer.resume(*consumer.paused())
        return True

    async def _handle(self, records: Sequence[Record]) -> None:
        await self._deliver(records)


class Handled:
    """What a consumer has handled and not committed yet."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self._offsets: dict[TopicPartition, OffsetAndMetadata] = {}
        self._since = 0.0

    def add(self, polled: Polled) -> None:
        """All of this is handled."""
        if not self._offsets:
            self._since = time.monotonic()
        for partition, batch in polled.items():
            self._offsets[partition] = OffsetAndMetadata(batch[-1].offset + 1, "", batch[-1].leader_epoch)

    def commit(self, *, older_than_s: float = 0.0) -> None:
        """Commit it, if the first of it was handled so long ago. Raises KafkaError.

        Of partitions that another member has by now nothing is committed: it may be further on.
        """
        if not self._offsets or time.monotonic() - self._since < older_than_s:
            return
        owned = self._consumer.assignment()
        offsets = {partition: offset for partition, offset in self._offsets.items() if partition in owned}
        self._offsets = {}
        if offsets:
            self._consumer.commit(offsets)


def remind(consumer: KafkaConsumer) -> None:
    """Request again a rejoin of the group that a poll left unfinished.

    After a change of a topic's metadata the library rejoins without setting `rejoin_needed`. When the poll times out during
    that rejoin, the next poll does not resume it: the consumer would stay without heartbeats and partitions for ever.
    """
    # The library shows no public way to it; the version is pinned.
    coordinator = consumer._coordinator  # noqa: SLF001
    if coordinator.rebalance_in_progress() and not coordinator.need_rejoin():
        coordinator.request_rejoin()


def _wait(handled: concurrent.futures.Future[None], seconds: float) -> bool:
    return bool(concurrent.futures.wait([handled], timeout=seconds).done)


def _keep_alive(consumer: KafkaConsumer) -> None:
    """Poll with all partitions paused, to stay in the group; records of newly assigned partitions are rewound."""
    consumer.pause(*consumer.assignment())
    for partition, batch in consumer.poll(timeout_ms=0).items():
        consumer.pause(partition)
        consumer.seek(partition, batch[0].offset)
