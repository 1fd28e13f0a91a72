"""A broker that lets in only who has a password, over TLS: what a cloud's brokers are like, from the local Kafka."""

import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from scripts.local import kafka, kafka_jars, progress
from scripts.mesh_certificates import authority
from services import registry
from services.chassis import kafka as chassis_kafka
from tests.support import servers

# May do everything; the services may do what they are granted.
USER, PASSWORD = "souk", "a password of the tests"
CLUSTER = "SOUKSOUKSOUKSOUKSOUKSQ"
START_S = 90.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that runs: where, and the file with the authority to trust."""

    bootstrap: str
    ca_file: str


@contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """A broker of its own, killed at the block's end."""
    jars = kafka_jars.class_path(servers.STACK.cache, progress.Silent())
    bootstrap = f"localhost:{_free_port()}"
    properties = folder / "server.properties"
    properties.write_text(_properties(folder, bootstrap))
    users = [f"SCRAM-SHA-512=[name={name},password={PASSWORD}]" for name in (USER, *registry.load().services)]
    tool = ["format", "-t", CLUSTER, "-c", str(properties), *(f"--add-scram={user}" for user in users)]
    subprocess.run(  # noqa: S603 - the stack's own Java
        kafka.java(jars, "kafka.tools.StorageTool", *tool), env=kafka.environment(), capture_output=True, check=True
    )
    with (
        (folder / "log.txt").open("wb") as log,
        subprocess.Popen(  # noqa: S603 - as above
            kafka.java(jars, "kafka.Kafka", str(properties)), env=kafka.environment(), stdout=log, stderr=log
        ) as process,
    ):
        try:
            _await(folder / "log.txt", process)
            yield Broker(bootstrap, str(folder / "ca.crt"))
        finally:
            process.kill()


def rights(service: registry.Service) -> list[tuple[ResourceType, str, ACLOperation]]:
    """What the registry says that a service does with the brokers: nothing else has to be allowed."""
    # What a consumer cannot read or handle, it publishes to dead-letter.
    writes = (*service.publishes, *(["dead-letter"] if service.consumes else []))
    return [
        *((ResourceType.TOPIC, topic, ACLOperation.WRITE) for topic in writes),
        *((ResourceType.TOPIC, topic, ACLOperation.READ) for topic in service.consumes),
        *([(ResourceType.GROUP, service.name, ACLOperation.READ)] if service.consumes else []),
    ]


def grant(connection: chassis_kafka.Connection, service: registry.Service) -> None:
    """Let a service do what the registry says, as the user `connection` is."""
    admin = KafkaAdminClient(**connection.options())
    try:
        done = admin.create_acls(
            [
                ACL(f"User:{service.name}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))
                for kind, name, operation in rights(service)
            ]
        )
        assert not done["failed"], done
    finally:
        admin.close()


def _free_port() -> int:
    """A port of the loopback that nobody listens on, below those that the system gives to whoever connects."""
    while True:
        port = random.randrange(30000, 32000)  # noqa: S311 - no secret
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _await(log: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while "Kafka Server started" not in log.read_text():
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < until, log.read_text()[-2000:]
        time.sleep(0.1)


def _properties(folder: Path, bootstrap: str) -> str:
    made = authority.Authority.made(authority.now())
    pair = made.issue("kafka", ["localhost"], authority.now())
    (folder / "ca.crt").write_bytes(made.pair.certificate)
    (folder / "keystore.pem").write_bytes(pair.key + pair.certificate)
    internal, controller = f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}"
    values = {
        **kafka.SETTINGS,
        "listeners": f"SASL_SSL://{bootstrap},INTERNAL://{internal},CONTROLLER://{controller}",
        "advertised.listeners": f"SASL_SSL://{bootstrap},INTERNAL://{internal}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(folder / "data"),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "keystore.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{USER};User:ANONYMOUS",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
