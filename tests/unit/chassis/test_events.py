"""Waves: a batch keeps each key's order and handles many keys at a time. And what cannot be read."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import kafka
from services.chassis.database import Transaction
from services.chassis.events import reader
from souk.order.v1 import order_events_pb2


async def handle(_: Transaction, __: Sequence[Any]) -> None:
    """Takes what it gets."""


def event(key: str, number: int) -> reader.Event:
    return reader.Event(str(number), key, number, handle, kafka.Record("t", key, b"", {}))


@given(st.lists(st.sampled_from("abcd")))
def test_wave_n_holds_the_nth_event_of_each_key(keys: list[str]) -> None:
    batch = [event(key, number) for number, key in enumerate(keys)]
    waves = reader.waves(batch)
    for wave in waves:
        assert len({item.key for item in wave}) == len(wave)
    for key in set(keys):
        assert [item.value for wave in waves for item in wave if item.key == key] == [
            item.value for item in batch if item.key == key
        ]
    assert len(waves) == max((keys.count(key) for key in keys), default=0)


READER = reader.Reader({order_events_pb2.OrderPlaced: reader.Subscriber(lambda message: message.order_id, handle)})
HEADERS = {"ce_id": "01900000-0000-7000-8000-000000000001", "ce_type": "souk.order.v1.OrderPlaced"}


def test_a_known_event_is_read() -> None:
    payload = order_events_pb2.OrderPlaced(order_id="o").SerializeToString()
    read = READER.read(kafka.Record("orders", "o", payload, HEADERS))
    assert read is not None
    assert (read.id, read.value) == (HEADERS["ce_id"], "o")


def test_an_event_of_which_a_service_makes_nothing_does_not_concern_it() -> None:
    indifferent = reader.Reader({order_events_pb2.OrderPlaced: reader.Subscriber(lambda _: None, handle)})
    assert indifferent.read(kafka.Record("orders", "o", b"", HEADERS)) is None


def test_an_event_of_a_type_from_the_future_is_ignored() -> None:
    assert READER.read(kafka.Record("orders", "o", b"", HEADERS | {"ce_type": "souk.order.v9.Unheard"})) is None


@pytest.mark.parametrize(
    "record",
    [
        kafka.Record("orders", "o", b"\xff\xff", HEADERS),
        kafka.Record("orders", "o", b"", {"ce_type": HEADERS["ce_type"]}),
        kafka.Record("orders", "o", b"", {"ce_id": "no uuid", "ce_type": HEADERS["ce_type"]}),
    ],
)
def test_bytes_that_nobody_can_read_are_told_apart_from_failures(record: kafka.Record) -> None:
    with pytest.raises(reader.UndecodableError):
        READER.read(record)
