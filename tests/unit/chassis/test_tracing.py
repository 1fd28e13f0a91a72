"""Traces: what a `traceparent` says, as W3C reads it, and whose trace an event carries that one of many calls caused."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis import coalesce, logs, tasks, tracing
from services.chassis.rpc import identity

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
OTHER = "0af7651916cd43dd8448eb211c80319c"


def parent(trace: str = TRACE, flags: str = "01") -> str:
    return f"00-{trace}-{SPAN}-{flags}"


@pytest.mark.parametrize("flags", ["01", "03", "ff", "09"])
def test_the_lowest_flag_alone_says_that_a_trace_is_sampled(flags: str) -> None:
    assert tracing.is_sampled(parent(flags=flags))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "01",
        "rubbish01",
        parent(flags="00"),
        parent(flags="02"),
        parent(flags="0101"),
        parent(flags="01-01"),
        parent(trace="0" * 32),
        parent(trace=TRACE.upper()),
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-é01",
        f"00-{'x' * 32}-{SPAN}-01",
    ],
)
def test_what_is_malformed_or_not_sampled_asks_for_no_spans(said: str) -> None:
    assert not tracing.is_sampled(said)


def test_a_later_version_may_say_more() -> None:
    assert tracing.is_sampled(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings")
    assert not tracing.is_sampled(f"cc-{TRACE}-{SPAN}-0100")


async def test_a_trace_that_is_not_sampled_is_carried_on_and_a_malformed_one_is_not() -> None:
    async def entered(said: str) -> tuple[str, str]:
        return tracing.enter(said), tracing.traceparent()

    assert await asyncio.create_task(entered(parent(flags="00"))) == (TRACE, parent(flags="00"))
    assert await asyncio.create_task(entered("é" * 60)) == ("", "")


def test_in_a_batch_each_event_carries_the_trace_that_caused_it() -> None:
    with tracing.causing({"a": parent(), "b": parent(OTHER), "c": ""}):
        origin = tracing.origin()
    assert [origin.traceparent(key) for key in "abcd"] == [parent(), parent(OTHER), "", ""]
    assert tracing.origin().traceparent("a") == ""


def test_where_all_has_one_cause_everything_carries_it() -> None:
    with tracing.causing({"a": parent(), "b": parent()}):
        assert tracing.origin().traceparent("of no cause") == parent()


async def test_what_serves_many_callers_starts_without_anything_of_the_first() -> None:
    tracing.enter(parent())
    logs.context.set({"request_id": "r-1"})
    identity.set_caller(identity.Caller(user_id="ann"))

    async def seen() -> tuple[str, str, object]:
        return tracing.traceparent(), logs.context.get().get("request_id", ""), identity.caller()

    assert await tasks.spawn(seen(), name="seen") == ("", "", identity.NOBODY)


async def test_coalesced_calls_keep_their_traces_apart_in_every_batch() -> None:
    batches: list[list[tuple[str, str]]] = []
    hold = asyncio.Event()

    async def handle(items: Sequence[str]) -> list[str]:
        await hold.wait()
        batches.append(list(zip(items, coalesce.parents(), strict=True)))
        assert logs.context.get() == {}
        return list(items)

    coalescer = coalesce.Coalescer(handle, coalesce.Batching(window_s=0.001))

    async def call(name: str, said: str) -> str:
        tracing.enter(said)
        logs.context.set({"request_id": name})
        return await coalescer.call(name)

    sent = [("a", parent()), ("b", parent(OTHER)), ("c", ""), ("d", parent(flags="00"))]
    calls = [asyncio.create_task(call(*one)) for one in sent]
    await asyncio.sleep(0)
    hold.set()
    assert await asyncio.gather(*calls) == ["a", "b", "c", "d"]
    assert len(batches) < 4
    assert sorted(pair for batch in batches for pair in batch) == sent
