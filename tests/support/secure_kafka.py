"""A broker that lets in only who has a password, over TLS: what a cloud's brokers are like, from the local Kafka."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.operate.mesh_certificates import authority
from scripts.stack.servers import kafka
from scripts.stack.supervise import progress
from services import registry
from tests.support import ports, servers

# May do everything. The others may do what no ACL is about, until somebody makes one: as at MSK, which knows no such user.
USER, PASSWORD = "souk", "a password of the tests"
# Makes topics and gives the services' users their rights.
ADMINISTRATOR = "topics"
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
    broker = made(folder)
    with serving(folder):
        yield broker


def made(folder: Path) -> Broker:
    """What a broker needs before it can be started, in this folder."""
    bootstrap = f"localhost:{ports.free()}"
    properties = folder / "server.properties"
    properties.write_text(_properties(folder, bootstrap))
    users = [
        f"SCRAM-SHA-512=[name={name},password={PASSWORD}]" for name in (USER, ADMINISTRATOR, *registry.load().services)
    ]
    tool = ["format", "-t", CLUSTER, "-c", str(properties), *(f"--add-scram={user}" for user in users)]
    command = kafka.java(_jars(), "kafka.tools.StorageTool", *tool)
    subprocess.run(command, env=kafka.environment(), capture_output=True, check=True)  # noqa: S603 - the stack's own Java
    return Broker(bootstrap, str(folder / "ca.crt"))


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """That broker, as it was when it was killed before; killed at the block's end."""
    command = kafka.java(_jars(), "kafka.Kafka", str(folder / "server.properties"))
    with (
        (folder / "log.txt").open("wb") as log,
        subprocess.Popen(command, env=kafka.environment(), stdout=log, stderr=log) as process,  # noqa: S603 - as above
    ):
        try:
            _await(folder / "log.txt", process)
            yield
        finally:
            process.kill()


def _jars() -> str:
    return kafka.class_path(servers.STACK.cache, progress.Silent())


def environment(broker: Broker, user: str) -> dict[str, str]:
    """The variables of a process that signs in as this user."""
    return {
        "KAFKA_BOOTSTRAP": broker.bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_CA_FILE": broker.ca_file,
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_USERNAME": user,
        "KAFKA_PASSWORD": PASSWORD,
    }


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
    internal, controller = ports.free_address(), ports.free_address()
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
        "allow.everyone.if.no.acl.found": "true",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
