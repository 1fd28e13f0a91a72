"""The servers that integration tests talk to: those of the stack that runs the tests, else a stack of their own.

`make test` tells where its servers are by the environment. Somebody who runs pytest by hand gets a PostgreSQL and a Redis
of the stack `pytest`, which stay up for the next run; `python -m scripts.stack --stack pytest down` stops them.
"""

import fcntl
import os
import threading
from pathlib import Path

from scripts.stack import layout, settings
from scripts.stack.servers import kafka, postgres, redis
from scripts.stack.supervise import component, processes, progress

# Above the ports of the stacks that `make run` and `make test` have: PORT_BASE moves it as it moves them.
_BASE = layout.chosen(layout.MAIN, os.environ).port_base + 3000
STACK = layout.Stack("pytest", port_base=_BASE, edge_port=_BASE + 80)


def postgres_admin_url() -> str:
    """A PostgreSQL server on which databases may be made."""
    given = os.environ.get("POSTGRES_ADMIN_URL")
    if given:
        return given
    chosen = settings.read(STACK, {})
    _ensure(postgres.build(chosen))
    return chosen.admin_database_url


def redis_url() -> str:
    """A Redis server. Tests use keys of their own in it."""
    given = os.environ.get("REDIS_URL")
    if given:
        return given
    chosen = settings.read(STACK, {})
    _ensure(redis.build(chosen))
    return chosen.servers()["REDIS_URL"]


def kafka_bootstrap() -> str:
    """A Kafka broker. Tests make topics of their own on it."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        return given
    chosen = settings.read(STACK, {})
    _ensure(kafka.build(chosen, kafka.class_path(STACK.cache, progress.Silent())))
    return chosen.servers()["KAFKA_BOOTSTRAP"]


def _ensure(wanted: component.Component) -> None:
    """Start it unless it runs. The workers of one test run, and other runs, wait for each other here."""
    lock: Path = STACK.folder.with_name(f"{STACK.name}.servers.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    STACK.save()
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        running = processes.Processes(STACK.folder)
        component.Starter(running, progress.Silent(), threading.Event()).ensure(wanted)
