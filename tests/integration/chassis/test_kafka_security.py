"""Brokers that ask who we are: SCRAM over TLS against a real one; tokens of an AWS role as far as they go without AWS."""

import asyncio
import base64
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from kafka.errors import KafkaConfigurationError
from kafka.net.sasl import oauth

from services.chassis import kafka
from services.chassis.kafka import security, topics
from services.chassis.settings import SettingsError, read
from tests.support import programs, secure_kafka

TOPIC = "guarded"


def environment(broker: secure_kafka.Broker, **changed: str) -> dict[str, str]:
    return secure_kafka.environment(broker, secure_kafka.USER) | changed


def connection(environ: dict[str, str]) -> kafka.Connection:
    return read(security.Settings, environ).connection("test")


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


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"KAFKA_PASSWORD": "wrong"}, "invalid credentials with SASL mechanism SCRAM-SHA-512"),
        ({"KAFKA_CA_FILE": ""}, "certificate verify failed"),
    ],
)
def test_a_wrong_password_or_an_authority_that_is_not_trusted_is_named_within_seconds(
    broker: secure_kafka.Broker, changed: dict[str, str], told: str
) -> None:
    # A process of its own: the library leaves what failed to the collector, which warns.
    with programs.running(["topics"], environment(broker, **changed), stderr=subprocess.PIPE) as refused:
        words = refused.communicate(timeout=60)[1].decode()
        assert refused.returncode == 1
    assert told in words
    assert words.splitlines()[-1].startswith("topics: KafkaTimeoutError: Unable to bootstrap")
    assert "Traceback" not in words


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
    provider = security.RoleToken("eu-central-1")
    first = provider.token()
    assert provider.token() is first
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert provider.token() is not first


def test_a_role_without_credentials_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(KafkaConfigurationError, match="no AWS credentials"):
        security.RoleToken("eu-central-1").token()


SCRAM = {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}
ROLE = {"KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"}
USER = {"KAFKA_USERNAME": "souk", "KAFKA_PASSWORD": "pw"}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({**SCRAM, **USER}, ["KAFKA_SASL_MECHANISM"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, ["KAFKA_SASL_MECHANISM"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **SCRAM}, ["KAFKA_USERNAME", "KAFKA_PASSWORD"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **ROLE}, ["AWS_REGION"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **ROLE, "AWS_REGION": "x"}, ["KAFKA_SECURITY_PROTOCOL"]),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS", "KAFKA_CA_FILE": "/no/ca"}, ["KAFKA_SECURITY_PROTOCOL", "KAFKA_CA_FILE"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_CA_FILE": "/no/such/ca.pem"}, ["KAFKA_CA_FILE"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN"}, ["KAFKA_SASL_MECHANISM"]),
        (USER, ["KAFKA_USERNAME", "KAFKA_PASSWORD"]),
        ({**ROLE, **USER}, ["KAFKA_SASL_MECHANISM", "KAFKA_USERNAME", "KAFKA_PASSWORD", "AWS_REGION"]),
    ],
)
def test_all_that_does_not_fit_together_is_told_at_once(changed: dict[str, str], wrong: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        connection({"KAFKA_BOOTSTRAP": "broker:9092", **changed})
    assert [line.split(" ")[0].rstrip(":") for line in str(refused.value).splitlines()] == wrong
