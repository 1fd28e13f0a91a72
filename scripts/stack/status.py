"""`make status`: every process with its address, its health, its memory and its log."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from scripts.operate import table
from scripts.stack import external, layout, plan, settings
from scripts.stack.servers import answering, edge, kafka, postgres, redis, simulators
from scripts.stack.supervise import health, processes, sizes

HEADINGS = ("process", "address", "health", "memory", "pid", "log")


@dataclass(frozen=True, slots=True)
class Line:
    """One process of the stack as it is now. `memory` is in bytes, 0 when it does not run here."""

    name: str
    address: str
    health: str
    memory: int = 0
    pid: int = 0
    log: str = ""

    @property
    def well(self) -> bool:
        """Tell whether it is up and answers."""
        return self.health in ("healthy", "yours, healthy")


def lines(chosen: settings.Settings) -> list[Line]:
    """The state of every process of the stack, and of the user's servers it relies on."""
    known = processes.Processes(chosen.stack.folder)
    checks = _checks(chosen)
    names = plan.names(chosen)
    own = [_line(known, name, checks[name]) for name in names]
    theirs = [
        Line(variable, external.where(chosen, variable), _theirs(chosen, variable)) for variable in chosen.external
    ]
    return own + theirs


def render(found: list[Line]) -> str:
    """The lines as a table, with the sum of the memory below."""
    text = table.text(HEADINGS, [_cells(line) for line in found])
    return f"{text}\n{sizes.human(sum(line.memory for line in found))} in all"


def _line(known: processes.Processes, name: str, healthy: Callable[[], bool]) -> Line:
    record = known.find(name)
    if record is None:
        return Line(name, "-", "not started")
    if not record.alive():
        return Line(name, record.address, "DOWN", log=record.log)
    state = "healthy" if healthy() else "DOES NOT ANSWER"
    return Line(name, record.address, state, processes.memory(record), record.pid, record.log)


def _checks(chosen: settings.Settings) -> dict[str, Callable[[], bool]]:
    stack, servers = chosen.stack, chosen.servers()
    mesh = chosen.health_addresses()
    return {
        kafka.NAME: lambda: answering.kafka(servers["KAFKA_BOOTSTRAP"]),
        postgres.NAME: lambda: answering.postgres(chosen.admin_database_url),
        redis.NAME: lambda: answering.redis_at(servers["REDIS_URL"]),
        simulators.PROVIDER: lambda: health.http(f"http://{stack.address(simulators.PROVIDER)}/healthz"),
        simulators.CARRIER: lambda: health.http(f"http://{stack.address(simulators.CARRIER)}/healthz"),
        simulators.MAIL: lambda: health.smtp(f"smtp://{stack.address(simulators.MAIL)}"),
        simulators.OBJECTS: lambda: health.http(f"http://{stack.address(simulators.OBJECTS)}/"),
        edge.NAME: lambda: health.http(f"{chosen.edge_url}/healthz"),
        "services": lambda: all(health.service(address) for address in mesh.values()),
        **{name: functools.partial(health.service, address) for name, address in mesh.items()},
    }


def _theirs(chosen: settings.Settings, variable: str) -> str:
    return "yours, healthy" if external.answers(chosen, variable) else "yours, DOES NOT ANSWER"


def _cells(line: Line) -> tuple[str, ...]:
    memory = sizes.human(line.memory) if line.memory else "-"
    log = line.log.removeprefix(f"{layout.ROOT}/") or "-"
    return (line.name, line.address, line.health, memory, str(line.pid or "-"), log)
