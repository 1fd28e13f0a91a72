"""What brokers sent, read record by record: the library's reading took a fifth of the CPU of an order.

A record is read some 25 times for an order, by all consumers together. The library's way to it (a function call for each
number, an object for each of three layers, sizes that only its metrics want) costs four times as much as this one, which
makes a `Record` of the bytes at once. Its checks stay: sums, structure, control batches.

The format is "Record Batch" in Kafka's documentation of its protocol. The text in a record is checked by nobody: whoever may
write to a topic may write a header name that is not UTF-8, and a poll that raises would never get past it. Odd bytes of a
name are read as escapes (a backslash, x, two digits), those of a key or a value of a header are replaced.

A reader that names the types it handles is not given the other records of a topic: of these only their first headers are
read. The last record of a batch is always given, so that the reader's place in the log moves with what it was not given.
"""

from collections.abc import Collection, Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch

from services.chassis.kafka.connection import Record

# The header that says what a record is. Our producers write it first.
TYPE = b"ce_type"


def quickly(consumer: KafkaConsumer, types: Collection[str] = ()) -> None:
    """Let this consumer's polls answer with records of ours. It reads all that producers wrote, also in transactions.

    types are the values of the header `ce_type` that it handles; none: it is given every record.
    """

    class OfTypes(Fetched):
        wanted = frozenset(kind.encode() for kind in types)

    # The library shows no public way to it; the version is pinned, and tests read what real brokers sent.
    consumer._fetcher.PartitionRecords = OfTypes  # noqa: SLF001


class Fetched(Fetcher.PartitionRecords):  # type: ignore[misc]  # the library has no types
    """What was fetched of a partition. The library takes what is left of it at each poll."""

    wanted: frozenset[bytes] = frozenset()

    def _unpack_records(self, partition: TopicPartition, records: Any, *_deserializers: Any) -> Iterator[Record]:
        names: dict[bytes, str] = {}
        while (batch := records.next_batch()) is not None:
            if type(batch) is not DefaultRecordBatch:
                raise CorruptRecordError("a record batch of a format that brokers stopped to write with release 0.11")
            if not batch.validate_crc():
                raise CorruptRecordError(f"the sum of a record batch of {partition} at {batch.base_offset} is wrong")
            self.leader_epoch = batch.leader_epoch
            # What the library takes turns by between partitions.
            self.bytes_read += batch.size_in_bytes
            if not batch.is_control_batch:
                for record in Reading(batch, partition, names, self.wanted):
                    self.next_fetch_offset = record.offset + 1
                    yield record
            # Compaction may have removed the last records of a batch: their offsets are passed over.
            self.next_fetch_offset = batch.next_offset
        self.drain()


class Reading:
    """The records of one batch: those of the wanted types (none: of all), and the last one whatever it is.

    names are the header names that were read before, by their bytes.
    """

    def __init__(
        self,
        batch: DefaultRecordBatch,
        partition: TopicPartition,
        names: dict[bytes, str],
        wanted: Collection[bytes] = (),
    ) -> None:
        iter(batch)  # Uncompresses it.
        self._bytes = bytes(batch._buffer)  # noqa: SLF001 - the library shows no public way to it
        self._at = batch._pos  # noqa: SLF001
        self._batch = batch
        self._partition = partition
        self._names = names
        self._wanted = wanted

    def __iter__(self) -> Iterator[Record]:
        """Raises CorruptRecordError for bytes that are no records."""
        try:
            for left in range(self._batch.records_count, 0, -1):
                if left == 1 or not self._wanted or not self._passed_over():
                    yield self._record()
        except IndexError as error:
            raise CorruptRecordError(f"a record of {self._partition} ends before its data") from error
        if self._at != len(self._bytes):
            raise CorruptRecordError(f"bytes are left over behind the records of {self._partition}")

    def _passed_over(self) -> bool:
        """Whether the next record says early enough that it is of a type that nobody wants: then it is skipped."""
        data = self._bytes
        length, at = _number(data, self._at)
        end = at + length
        _, at = _number(data, at + 1)
        _, at = _number(data, at)
        # The key and the value.
        for _ in range(2):
            length, at = _number(data, at)
            at += max(length, 0)
        count, at = _number(data, at)
        for _ in range(count):
            name, at = _piece(data, at)
            kind, at = _piece(data, at)
            if name == TYPE:
                break
        else:
            return False
        if kind in self._wanted or not self._at < at <= end <= len(data):
            return False
        self._at = end
        return True

    def _record(self) -> Record:
        data = self._bytes
        length, at = _number(data, self._at)
        end = at + length
        # The attributes, a byte that means nothing yet, and the time.
        _, at = _number(data, at + 1)
        offset, at = _number(data, at)
        key, at = _piece(data, at)
        value, at = _piece(data, at)
        headers, self._at = self._headers(at)
        if self._at != end:
            raise CorruptRecordError(f"a record of {self._partition} is not as long as it says")
        topic, partition = self._partition
        offset += self._batch.base_offset
        return Record(topic, _text(key), value, headers, partition, offset, self._batch.leader_epoch)

    def _headers(self, at: int) -> tuple[dict[str, str], int]:
        """All headers, by name. The lengths of nearly all are one byte, so those are read in place."""
        data, names = self._bytes, self._names
        count, at = _number(data, at)
        headers = {}
        for _ in range(count):
            length = data[at]
            if length & 0x81:
                name, at = _piece(data, at)
            else:
                start = at + 1
                at = start + (length >> 1)
                name = data[start:at]
            length = data[at]
            if length & 0x81:
                text, at = _piece(data, at)
            else:
                start = at + 1
                at = start + (length >> 1)
                text = data[start:at]
            try:
                headers[names[name]] = text.decode("utf-8", "replace")
            except KeyError:
                known = names[name] = name.decode("utf-8", "backslashreplace")
                headers[known] = _text(text)
        return headers, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins here (a zigzag varint), and where it ends. Raises IndexError."""
    byte = data[at]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    number, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at + 1
        shift += 7
        if shift > 63:
            raise CorruptRecordError("a number of a record is longer than 64 bits")


def _piece(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes with their length before them, and where they end. Those that are absent (-1) are empty."""
    length, at = _number(data, at)
    end = at + max(length, 0)
    return data[at:end], end


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
