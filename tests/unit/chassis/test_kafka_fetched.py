"""Records of brokers are read as the library reads them, in a fraction of its time, whatever is in them."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatchBuilder

from services.chassis import kafka
from services.chassis.kafka import fetched

PARTITION = TopicPartition("orders", 3)
Written = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
HEADERS: list[tuple[str, bytes | None]] = [
    (f"ce_{name}", b"01890000-0000-7000-8000-0000000000aa") for name in ("id", "type", "source", "time")
]
ORDER: Written = (b"01890000-0000-7000-8000-0000000000aa", b"value" * 60, HEADERS * 2)

some_bytes = st.none() | st.binary(max_size=200)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90)
record = st.tuples(
    some_bytes, some_bytes, st.lists(st.tuples(names, some_bytes), max_size=12, unique_by=lambda h: h[0])
)


def built(records: Sequence[Written], *, compression: int = 0, first: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10**7,
    )
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, timestamp=1_700_000_000_000 + offset, key=key, value=value, headers=headers)
    data = bytearray(builder.build())
    data[:8] = first.to_bytes(8, "big")
    return bytes(data)


def taken(reading: Callable[..., Any], data: bytes) -> Any:
    return reading(0, PARTITION, MemoryRecords(data)).take()


@given(st.lists(record, min_size=1, max_size=20), st.sampled_from([0, DefaultRecordBatchBuilder.CODEC_GZIP]))
def test_records_are_what_the_library_reads(records: list[Written], compression: int) -> None:
    data = built(records, compression=compression, first=1 << 40)
    ours = taken(fetched.Fetched, data)
    theirs = taken(Fetcher.PartitionRecords, data)
    assert ours == [
        kafka.Record(
            "orders",
            (raw.key or b"").decode(errors="replace"),
            raw.value or b"",
            {name: (text or b"").decode(errors="replace") for name, text in raw.headers},
            3,
            raw.offset,
            raw.leader_epoch,
        )
        for raw in theirs
    ]


def test_what_lies_before_the_place_of_the_reader_is_skipped_and_the_place_moves_with_each_record() -> None:
    drained: list[Any] = []
    data = built([ORDER] * 5, first=10) + built([ORDER] * 2, first=20)
    part = fetched.Fetched(12, PARTITION, MemoryRecords(data), on_drain=drained.append)
    assert [one.offset for one in part.take(2)] == [12, 13]
    assert (part.next_fetch_offset, bool(part), drained) == (14, True, [])
    assert [one.offset for one in part.take()] == [14, 20, 21]
    assert (part.next_fetch_offset, bool(part), drained) == (22, False, [part])
    assert part.bytes_read == len(data)


@given(st.data())
def test_bytes_that_are_no_records_are_refused_and_end(data: st.DataObject) -> None:
    whole = bytearray(built([ORDER, (None, b"x", [])]))
    # Behind the batch's header, so that the sum is the only check before ours.
    place = data.draw(st.integers(61, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptRecordError, match="sum"):
        taken(fetched.Fetched, bytes(whole))
    batch = MemoryRecords(bytes(whole)).next_batch()
    with contextlib.suppress(CorruptRecordError):
        assert len(list(fetched.Reading(batch, PARTITION, {}))) == 2


def test_a_header_name_that_is_not_text_has_its_odd_bytes_as_escapes() -> None:
    plain = built([(b"k", b"v", [("name", b"\xfftext")])])
    batch = MemoryRecords(plain.replace(b"name", b"n\xffme")).next_batch()
    [read] = fetched.Reading(batch, PARTITION, {})
    assert read.headers == {"n\\xffme": "\N{REPLACEMENT CHARACTER}text"}


def test_reading_takes_less_than_two_thirds_of_the_librarys_time() -> None:
    data = built([ORDER] * 400)

    def seconds(reading: Callable[..., Any]) -> float:
        started = time.thread_time()
        taken(reading, data)
        return time.thread_time() - started

    ratios = [seconds(fetched.Fetched) / seconds(Fetcher.PartitionRecords) for _ in range(9)]
    assert sorted(ratios)[4] < 0.67


def of_type(kind: str, number: int, *, first: Sequence[tuple[str, bytes | None]] = ()) -> Written:
    return (b"key", b"%d" % number, [*first, ("ce_type", kind.encode()), ("ce_id", b"id")])


def values(data: bytes, *wanted: bytes) -> list[bytes]:
    (batch,) = [MemoryRecords(data).next_batch()]
    return [one.value for one in fetched.Reading(batch, PARTITION, {}, frozenset(wanted))]


def test_a_reader_of_some_types_is_given_these_and_the_last_record_of_each_batch() -> None:
    records = [of_type(kind, number) for number, kind in enumerate(("A", "B", "C", "A", "B"))]
    assert values(built(records), b"A", b"C") == [b"0", b"2", b"3", b"4"]
    assert values(built(records[:3]), b"A", b"C") == [b"0", b"2"]


def test_a_record_that_does_not_say_its_type_is_given_to_every_reader() -> None:
    untold: Written = (b"key", b"untold", [("ce_id", b"id"), ("type", b"B")])
    hidden: Written = (b"key", b"\x0ece_type\x02B", [("note", b"\x0ece_type\x02B"), ("ce_type", b"A")])
    bare: Written = (None, None, [])
    assert values(built([untold, hidden, bare, of_type("B", 1), of_type("B", 2)]), b"A") == [
        b"untold",
        b"\x0ece_type\x02B",
        b"",
        b"2",
    ]


@given(st.lists(st.tuples(record, st.sampled_from(["A", "B", "C"])), min_size=1, max_size=20))
def test_a_reader_of_some_types_is_given_what_a_reader_of_all_would_handle(told: list[tuple[Written, str]]) -> None:
    records: list[Written] = [
        (key, value, [*[h for h in headers if h[0] != "ce_type"], ("ce_type", kind.encode())])
        for (key, value, headers), kind in told
    ]
    batch = MemoryRecords(built(records)).next_batch()
    every = list(fetched.Reading(batch, PARTITION, {}))
    some = list(fetched.Reading(MemoryRecords(built(records)).next_batch(), PARTITION, {}, frozenset([b"A", b"C"])))
    assert [one for one in some if one.headers["ce_type"] != "B"] == [
        one for one in every if one.headers["ce_type"] != "B"
    ]
    assert some[-1] == every[-1]
