"""The adapter to SNS: its three outcomes, whatever SNS says or does not say, and the breaker in front of it."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from services.notification import domain, text_messages, words
from services.notification.domain import Channel, Kind, Outcome, Template
from tests.integration.notification import aws
from tests.integration.notification.aws import Scripted, Sns
from tests.integration.notification.post_office import new_id
from tests.support.polling import eventually

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NUMBER = "+4915112345678"
DETAILS = {"order_id": "17", "total": "42.00 USD", "lines": []}


def message(channel: Channel, template: Template = Template.ORDER_CONFIRMED, **details: Any) -> domain.Notification:
    told = DETAILS | details
    subject = "Your order 17 is confirmed"
    return domain.Notification(new_id(), new_id(), template, new_id(), subject, told, NOW, channel)


def ann(*, number: str = NUMBER, device: str = "") -> domain.Contact:
    return domain.Contact(new_id(), "ann@example.com", "Ann", 1, number, device)


@asynccontextmanager
async def started(channel: Channel, url: str, **chosen: Any) -> AsyncIterator[text_messages.Sns]:
    sender = text_messages.Sns(channel, aws.settings(url, **chosen), words.Templates())
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


@pytest_asyncio.fixture
async def grumpy() -> AsyncIterator[Scripted]:
    async with aws.scripted() as made:
        yield made


async def test_a_text_message_is_taken(sns: Sns) -> None:
    number = "+4915112345601"
    async with started(Channel.SMS, sns.url) as sender:
        result = await sender.send(message(Channel.SMS), ann(number=number))
    assert result == domain.Result(Outcome.SENT)
    assert sns.texts(number) == ["Souk: your order 17 over $42.00 is confirmed."]


async def test_a_push_message_says_the_same_to_every_kind_of_device_and_carries_its_id(sns: Sns) -> None:
    device, pushed = sns.device(), message(Channel.PUSH)
    async with started(Channel.PUSH, sns.url) as sender:
        assert (await sender.send(pushed, ann(device=device))).outcome is Outcome.SENT
    [sent] = sns.pushes(device)
    assert sent == json.loads(text_messages.payload(pushed, sent["default"]))
    google = json.loads(sent["GCM"])["fcmV1Message"]["message"]
    apple = json.loads(sent["APNS"])
    assert google["notification"] == apple["aps"]["alert"]
    assert google["data"]["notification_id"] == apple["notification_id"] == pushed.id


@pytest.mark.parametrize(
    ("number", "reason"),
    [("+491511234599", "PHONE_OPTED_OUT"), ("0151", "InvalidParameter")],
    ids=["stop", "no number"],
)
async def test_a_number_that_can_get_nothing_is_a_definite_no(sns: Sns, number: str, reason: str) -> None:
    async with started(Channel.SMS, sns.url) as sender:
        assert await sender.send(message(Channel.SMS), ann(number=number)) == domain.Result(Outcome.REFUSED, reason)
    assert sns.texts(number) == []


async def test_a_device_that_was_switched_off_or_forgotten_is_a_definite_no(sns: Sns) -> None:
    off, gone = sns.device(), sns.device()
    sns.switch_off(off)
    sns.forget(gone)
    async with started(Channel.PUSH, sns.url) as sender:
        answers = [await sender.send(message(Channel.PUSH), ann(device=device)) for device in (off, gone)]
    assert answers == [domain.Result(Outcome.REFUSED, code) for code in ("EndpointDisabled", "NotFound")]


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (500, "InternalError", Outcome.DEFERRED),
        (503, "ServiceUnavailable", Outcome.AWAY),
        (400, "Throttling", Outcome.AWAY),
        (403, "AuthorizationError", Outcome.AWAY),
        (403, "ExpiredToken", Outcome.AWAY),
        (400, "SomethingNew", Outcome.DEFERRED),
        (400, "OptedOut", Outcome.REFUSED),
    ],
)
async def test_what_sns_says_is_one_of_three_outcomes_and_it_is_asked_once(
    grumpy: Scripted, status: int, code: str, outcome: Outcome
) -> None:
    grumpy.status, grumpy.code = status, code
    async with started(Channel.SMS, grumpy.url) as sender:
        assert await sender.send(message(Channel.SMS), ann()) == domain.Result(outcome, code)
    assert len(grumpy.published) == 1


async def test_only_offers_are_promotional(grumpy: Scripted) -> None:
    offer = message(Channel.SMS, Template.MESSAGE, subject="Sale", lines=["All must go."], kind=Kind.MARKETING)
    async with started(Channel.SMS, grumpy.url, sms_sender_id="Souk") as sender:
        for sent in (offer, message(Channel.SMS)):
            assert (await sender.send(sent, ann())).outcome is Outcome.SENT
    types = [
        {
            asked[f"MessageAttributes.entry.{n}.Name"]: asked[f"MessageAttributes.entry.{n}.Value.StringValue"]
            for n in (1, 2)
        }
        for asked in grumpy.published
    ]
    assert [attributes["AWS.SNS.SMS.SMSType"] for attributes in types] == ["Promotional", "Transactional"]
    assert {attributes["AWS.SNS.SMS.SenderID"] for attributes in types} == {"Souk"}


async def test_a_server_that_is_not_there_costs_no_attempt() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        async with started(Channel.SMS, f"http://127.0.0.1:{taken.getsockname()[1]}") as sender:
            assert (await sender.send(message(Channel.SMS), ann())).outcome is Outcome.AWAY


async def test_without_credentials_messages_wait(grumpy: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in aws.CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with started(Channel.SMS, grumpy.url) as sender:
        answer = await sender.send(message(Channel.SMS), ann())
    assert answer == domain.Result(Outcome.AWAY, "NoCredentialsError")
    assert grumpy.published == []


async def test_a_server_that_falls_silent_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with started(Channel.PUSH, f"http://127.0.0.1:{silent.getsockname()[1]}", sns_timeout_s=0.2) as sender:
            answer = await sender.send(message(Channel.PUSH), ann(device="arn:aws:sns:eu-central-1:1:endpoint/GCM/a/b"))
    assert answer == domain.Result(Outcome.DEFERRED, "NO_ANSWER")


async def test_after_failures_in_a_row_it_is_left_alone_and_then_tried_with_one_call(grumpy: Scripted) -> None:
    grumpy.status, grumpy.code = 500, "InternalError"
    async with started(Channel.SMS, grumpy.url, breaker_failures=2, breaker_reset_s=0.3) as sender:
        assert sender.room(50) == 50
        for _ in range(2):
            await sender.send(message(Channel.SMS), ann())
        assert sender.room(50) == 0
        assert await sender.send(message(Channel.SMS), ann()) == domain.Result(Outcome.AWAY, "LEFT_ALONE")
        assert len(grumpy.published) == 2
        grumpy.status = 200

        async def tried_again() -> bool:
            return sender.room(50) == 1

        await eventually(tried_again)
        assert (await sender.send(message(Channel.SMS), ann())).outcome is Outcome.SENT
        assert sender.room(50) == 50


async def test_a_definite_no_does_not_count_against_sns(grumpy: Scripted) -> None:
    grumpy.status, grumpy.code = 400, "InvalidParameter"
    async with started(Channel.SMS, grumpy.url, breaker_failures=2) as sender:
        for _ in range(4):
            await sender.send(message(Channel.SMS), ann())
        assert sender.room(50) == 50


async def test_the_log_takes_everything_and_tells_neither_words_nor_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    sender = text_messages.Logged(Channel.SMS, words.Templates())
    assert sender.room(7) == 7
    assert (await sender.send(message(Channel.SMS), ann())).outcome is Outcome.SENT
    [record] = [record for record in caplog.records if record.name == text_messages.__name__]
    assert vars(record)["template"] == "order_confirmed"
    told = str(vars(record))
    assert NUMBER not in told
    assert "42.00" not in told
