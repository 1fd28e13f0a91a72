"""The one program of every image: runs services, migrates their databases, makes topics, looks after events that failed.

python -m services [NAME...] [--role serve|work|all]     run these services (all without a name) in this process
python -m services migrate [NAME...]                     bring their databases to the newest version
python -m services topics                                make the topics that do not exist yet, and give users their rights
python -m services parked list|replay|discard NAME [EVENT_ID]   look after events whose handling failed
python -m services refused list|send|discard NAME [EVENT_ID]    look after events that the brokers refused
"""

import argparse
import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import uvloop
from kafka.errors import KafkaError, SecurityDisabledError

from services import registry
from services.chassis import assembly, clock, health, logs, metrics, migrate, process, settings, tracing
from services.chassis.events import operate
from services.chassis.kafka import rights, security, topics
from services.chassis.outbox import refused


class Operate(Protocol):
    """An operator's command: what to do (`list`, ...) with which event of the service with this database."""

    async def __call__(self, database_url: str, action: str, event_id: str, *, actor: str) -> int:
        """Do it, and answer with the process's exit code."""


@dataclass(frozen=True, slots=True)
class _Process:
    """What the process itself reads, whichever services live in it."""

    log_level: str = settings.env("LOG_LEVEL", default="INFO")
    metrics_listen: str = settings.env("METRICS_LISTEN", default="")
    traces: str = settings.env("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
    trace_ratio: float = settings.env("TRACE_RATIO", default=0.1)

    def __post_init__(self) -> None:
        mistakes = []
        if self.log_level not in logging.getLevelNamesMapping():
            mistakes.append(f"LOG_LEVEL: {self.log_level!r} is none of {', '.join(logging.getLevelNamesMapping())}")
        if not 0 <= self.trace_ratio <= 1:
            mistakes.append(f"TRACE_RATIO: {self.trace_ratio} is not between 0 and 1")
        if self.metrics_listen and not self.metrics_listen.rpartition(":")[2].isdecimal():
            mistakes.append(f"METRICS_LISTEN: {self.metrics_listen!r} is not host:port")
        if mistakes:
            raise settings.SettingsError("\n".join(mistakes))


@dataclass(frozen=True, slots=True)
class _Database:
    url: str = settings.env("{SERVICE}_DATABASE_URL", secret=True)


def main(arguments: Sequence[str]) -> int:
    """Run what the command line says. Answers with a process exit code."""
    commands = {"migrate": _migrate, "topics": _topics, "parked": _parked, "refused": _refused}
    try:
        logs.configure(settings.read(_Process, os.environ).log_level)
        if arguments and arguments[0] in commands:
            return commands[arguments[0]](list(arguments[1:]))
        return _run(list(arguments))
    except (settings.SettingsError, registry.UnknownServiceError, OSError) as error:
        print(error, file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--role", choices=[assembly.SERVE, assembly.WORK, assembly.ALL], default=assembly.ALL)
    chosen = parser.parse_args(arguments)
    known = registry.load()
    names = known.choose(chosen.names)
    own = settings.read(_Process, os.environ)
    tracing.configure("+".join(names), own.traces, ratio=own.trace_ratio)
    metrics.serve(own.metrics_listen)
    host = assembly.Host(os.environ, chosen.role, process.owner(), clock.utc_now, known.services)
    uvloop.run(_host(host, names))
    return 0


async def _host(host: assembly.Host, names: Sequence[str]) -> None:
    parts: list[process.Part] = []
    for name in names:
        parts += _module(name).build(host)
    await process.run(health.around(parts, host.environ.get("HEALTH_LISTEN", "")))


def _migrate(names: list[str]) -> int:
    for name in registry.load().with_store(names, "postgres"):
        url = settings.read(_Database, os.environ, service=name).url
        migrate.migrate(url, assembly.migrations(name))
    return 0


def _topics(_: list[str]) -> int:
    known = registry.load()
    wanted = {name: topic.partitions for name, topic in known.topics.items()}
    brokers = settings.read(security.Settings, os.environ)
    chosen = settings.read(topics.Settings, os.environ)
    try:
        connection = brokers.connection("souk-topics")
        made = topics.ensure(connection, wanted, replication=chosen.replication)
        given = _rights(brokers, known) if chosen.acls else ""
    except KafkaError as error:
        # Why the brokers let nobody in is in the library's warnings before it.
        print(f"topics: {error}", file=sys.stderr)
        return 1
    print(f"topics: {len(made)} made, {len(wanted) - len(made)} were there{given}")
    return 0


def _rights(brokers: security.Settings, known: registry.Registry) -> str:
    """Give users their rights, where they sign in by password: what to say of it."""
    if brokers.mechanism not in security.SCRAM:
        return ""
    try:
        made = rights.grant(
            brokers.connection("souk-topics"), brokers.username.current(), list(known.topics), known.services.values()
        )
    except SecurityDisabledError:
        return "; these brokers have no ACLs: every user may do everything"
    return f"; {len(made)} rights given"


def _parked(arguments: list[str]) -> int:
    return _operated("parked", ("list", "replay", "discard"), operate.operate, arguments)


def _refused(arguments: list[str]) -> int:
    return _operated("refused", ("list", "send", "discard"), refused.operate, arguments)


def _operated(command: str, actions: Sequence[str], act: Operate, arguments: list[str]) -> int:
    """Do what an operator asks for: an action on the events of a service. All but the first name an event."""
    parser = argparse.ArgumentParser(prog=f"python -m services {command}")
    parser.add_argument("action", choices=actions)
    parser.add_argument("service")
    parser.add_argument("event_id", nargs="?", default="")
    chosen = parser.parse_args(arguments)
    url = settings.read(_Database, os.environ, service=chosen.service).url
    return asyncio.run(act(url, chosen.action, chosen.event_id, actor=os.environ.get("USER", "operator")))


def _module(name: str) -> Any:
    return importlib.import_module(f"services.{name}.main")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
