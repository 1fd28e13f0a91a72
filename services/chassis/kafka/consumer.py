"""The consumer: a thread polls, the event loop handles, and what is handled is committed. It keeps its place in the group."""

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

    gather_s is how long it pauses after a small batch, in seconds: what comes meanwhile is handled together. patience_s is
    how long the brokers may gather records before they answer, for topics that nobody waits for: each answer costs the same
    whatever is in it. 0: the first record is answered with at once.
    """

    topics: Sequence[str]
    group: str
    batch: int
    gather_s: float = 0.0
    patience_s: float = 0.0


# What one poll gave, by partition.
Polled = Mapping[TopicPartition, Sequence[Record]]

# Handles a batch to its end; its offsets are committed after it returns. It retries by itself and raises nothing.
Deliver = Callable[[Sequence[Record]], Awaitable[None]]

# How long a stopping consumer waits for the batch under way, in seconds. What is cut off is repeated by the next owner.
STOP_GRACE_S = 10.0
# How long brokers wait for a record. The first one is answered with at once, so a long wait only saves questions; what a
# partition holds that was just assigned may wait as long for its first fetch.
FETCH_MS = 3000
# How much a patient consumer lets them gather, which is some hundred records.
GATHERED_BYTES = 256 * 1024
# How long a poll waits for records, and the least that an empty one takes.
POLL_MS = 500
PAUSE_S = 0.02


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
        try:
            self._await_topics(consumer)
            while not self._stopping.is_set():
                remind(consumer)
                asked = time.monotonic()
                polled = consumer.poll(timeout_ms=POLL_MS)
                if polled and self._delivered(consumer, loop, polled):
                    consumer.commit(_after(polled))
                    if sum(map(len, polled.values())) < min(loops.FEW, self._subscription.batch):
                        self._stopping.wait(self._subscription.gather_s)
                elif time.monotonic() - asked < PAUSE_S:
                    # A poll that has nothing to wait for (no partitions, a heartbeat that is due) answers at once.
                    self._stopping.wait(PAUSE_S)
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
        patience_ms = round(self._subscription.patience_s * 1000)
        consumer = self._connection.opened(
            KafkaConsumer,
            group_id=self._subscription.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=self._subscription.batch,
            partition_assignment_strategy=[CooperativeStickyAssignor],
            session_timeout_ms=6000,
            heartbeat_interval_ms=1500,
            fetch_max_wait_ms=patience_ms or FETCH_MS,
            fetch_min_bytes=GATHERED_BYTES if patience_ms else 1,
            # A request that a dying broker swallowed is given up after this; the default would wait for 30 s.
            request_timeout_ms=10000,
            metrics_enabled=False,
        )
        fetched.quickly(consumer)
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


def _after(polled: Polled) -> dict[TopicPartition, OffsetAndMetadata]:
    return {
        partition: OffsetAndMetadata(batch[-1].offset + 1, "", batch[-1].leader_epoch)
        for partition, batch in polled.items()
    }
