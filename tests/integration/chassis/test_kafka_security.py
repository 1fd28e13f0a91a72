"""Brokers that ask who we are: SCRAM over TLS against a real one; tokens of an AWS role as far as they go without AWS."""

import asyncio
import base64
import time
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
from kafka.net.sasl import oauth

from services import kafka_security, topics
from services.chassis import kafka
from services.chassis.settings import SettingsError, read
from tests.support import programs, secure_kafka

TOPIC = "guarded"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[secure_kafka.Broker]:
    with secure_kafka.running(tmp_path_factory.mktemp("kafka")) as running:
        yield running


def environment(broker: secure_kafka.Broker, **changed: str) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP": broker.bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_CA_FILE": broker.ca_file,
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_USERNAME": secure_kafka.USER,
        "KAFKA_PASSWORD": secure_kafka.PASSWORD,
        **changed,
    }


def connection(environ: dict[str, str]) -> kafka.Connection:
    return read(kafka_security.Settings, environ).connection("test")


async def test_topics_producer_and_consumer_get_in_with_a_password_over_tls(broker: secure_kafka.Broker) -> None:
    reached = connection(environment(broker))
    assert await asyncio.to_thread(topics.ensure, reached, {TOPIC: 1}, replication=1) == [TOPIC]
    producer = kafka.Producer(reached)
    assert (
        await producer.publish([kafka.Record(TOPIC, "a", b"1", {}), kafka.Record(TOPIC, "a", b"2", {})]) == [True] * 2
    )
    await producer.stop()
    values: list[bytes] = []
    both = asyncio.Event()

    async def deliver(records: Sequence[kafka.Record]) -> None:
        values.extend(record.value for record in records)
        if len(values) == 2:
            both.set()

    consumer = kafka.Consumer(reached, kafka.Subscription([TOPIC], "guests", 10), deliver)
    await consumer.start()
    async with asyncio.timeout(60):
        await both.wait()
    await consumer.stop()
    assert values == [b"1", b"2"]


@pytest.mark.parametrize("changed", [{"KAFKA_PASSWORD": "wrong"}, {"KAFKA_CA_FILE": ""}])
def test_a_wrong_password_or_an_authority_that_is_not_trusted_gets_nowhere(
    broker: secure_kafka.Broker, changed: dict[str, str]
) -> None:
    # A process of its own: the library leaves what failed to the collector, which warns.
    with programs.running(["topics"], environment(broker, **changed), quiet=True) as refused:
        assert refused.wait(60) != 0


def test_the_command_that_makes_topics_gets_in_the_same_way(broker: secure_kafka.Broker) -> None:
    with programs.running(["topics"], environment(broker, KAFKA_REPLICATION="1")) as made:
        assert made.wait(60) == 0


def test_a_role_at_aws_signs_a_token_that_the_library_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "no secret")
    environ = {
        "KAFKA_BOOTSTRAP": "b-1.example:9098",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM",
        "AWS_REGION": "eu-central-1",
    }
    security = connection(environ).security
    sent = oauth.SaslMechanismOAuth(**security).auth_bytes().decode()
    token = sent.split("auth=Bearer ")[1].rstrip("\x01")
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    asked = parse_qs(url.query)
    assert security["sasl_mechanism"] == "OAUTHBEARER"
    assert url.hostname == "kafka.eu-central-1.amazonaws.com"
    assert asked["Action"] == ["kafka-cluster:Connect"]
    assert asked["X-Amz-Credential"][0].startswith("AKIDEXAMPLE/")
    assert asked["X-Amz-Signature"]


def test_a_token_is_used_again_until_it_is_about_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "no secret")
    provider = kafka_security.RoleToken("eu-central-1")
    first = provider.token()
    assert provider.token() is first
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert provider.token() is not first


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}, "go together"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "go together"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}, "needs KAFKA_USERNAME"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"}, "needs AWS_REGION"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM", "AWS_REGION": "x"},
            "SASL_SSL",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        connection({"KAFKA_BOOTSTRAP": "broker:9092", **changed})
