"""Header names that are not UTF-8: the library decodes names inside its poll, and would fail at such a record for ever.

A record's structure is checked by the brokers, the text in it by nobody: whoever may write to a topic may write such a name.
A poll that raises never gets past it, so all records behind it would wait. Read by `tolerate`d consumers, the name has its
odd bytes as escapes (a backslash, x, two digits), and the event is handled like any other. Values and keys arrive as bytes.
"""

from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecordBatch


def tolerate(consumer: KafkaConsumer) -> None:
    """Let this consumer read records whatever bytes the names of their headers are."""
    # The library shows no public way to it; the version is pinned, and a test reads such a record from a real broker.
    consumer._fetcher.PartitionRecords = _Fetched  # noqa: SLF001


class _Fetched(Fetcher.PartitionRecords):  # type: ignore[misc]  # the library has no types
    """What was fetched of a partition."""

    def _unpack_records(self, partition: Any, records: Any, *deserializers: Any) -> Any:
        return super()._unpack_records(partition, _Batches(records), *deserializers)


class _Batches:
    """The batches of what was fetched."""

    def __init__(self, records: Any) -> None:
        self._records = records

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        if type(batch) is DefaultRecordBatch:
            batch.__class__ = _Batch
        return batch


class _Batch(DefaultRecordBatch):  # type: ignore[misc]  # the library has no types
    """A batch whose records are read with escapes from the first one on that the library cannot read."""

    __slots__ = ()

    def _read_msg(self) -> Any:
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            # Nothing but names is decoded, and the place in the buffer moves only behind a record that was read. The copy
            # stays: one for each such record would cost the square of a batch's size.
            self._buffer = _Bytes(self._buffer)  # type: ignore[misc,has-type]  # a slot of the library's, without types
            return super()._read_msg()


class _Bytes(bytearray):
    """Bytes whose slices can always be decoded."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _Slice(found) if isinstance(index, slice) else found


class _Slice(bytearray):
    """Bytes of which those that are not text become escapes."""

    def decode(self, encoding: str = "utf-8", errors: str = "") -> str:  # noqa: ARG002 - ours decide
        return super().decode(encoding, "backslashreplace")
