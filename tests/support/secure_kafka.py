"""A broker that lets in only who has a password, over TLS: what a cloud's brokers are like, from the local Kafka."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.local import kafka, kafka_jars, progress
from scripts.mesh_certificates import authority
from tests.support import programs, servers

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
    bootstrap = programs.free_address().replace("127.0.0.1", "localhost")
    properties = folder / "server.properties"
    properties.write_text(_properties(folder, bootstrap))
    scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
    tool = ["format", "-t", CLUSTER, "-c", str(properties), "--add-scram", scram]
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
    internal, controller = programs.free_address(), programs.free_address()
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
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
