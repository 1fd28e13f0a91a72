"""What ends a stream early, and what does not: without a server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.chassis import errors
from services.chassis.rpc import streams
from souk.order.v1 import order_pb2, order_service_pb2

REQUEST = order_service_pb2.WatchOrderRequest(after_sequence=1)
EXPIRED = errors.DomainError(errors.Code.UNAUTHENTICATED, "TOKEN_EXPIRED", "expired")


async def _messages() -> AsyncIterator[Any]:
    for sequence in range(2, 5):
        yield order_pb2.OrderEvent(sequence=sequence)


async def test_a_stream_goes_on_while_nobody_can_say_whether_its_caller_may() -> None:
    opened, answers = streams.Streams("order"), [errors.TransientError("away"), None, EXPIRED]

    async def admit() -> None:
        if answer := answers.pop(0):
            raise answer

    stream = opened.until_ended(_messages(), REQUEST, admit)
    for sequence in (2, 3):
        assert (await anext(stream)).sequence == sequence
        await opened.check()
    await opened.check()
    with pytest.raises(errors.DomainError) as ended:
        await anext(stream)
    assert (ended.value.reason, ended.value.metadata) == ("TOKEN_EXPIRED", {"after_sequence": "3"})
    await opened.check()
    assert not answers, "a stream that ended is checked no more"
