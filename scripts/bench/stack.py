"""The bench's own stack: set up as in production, begun anew, taken down at the end."""

import dataclasses
import importlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scripts.stack import down, layout, plan, settings, up
from scripts.stack.servers import simulators
from scripts.stack.supervise import component, processes, progress
from services import registry

NAME = "bench"
# Above the main stack's ports, as far as no other stack stands.
ABOVE_MAIN = 5000
# Only the edge lets through what comes.
EDGE_FACTOR = {"EDGE_RATE_LIMIT_FACTOR": "100000"}
SIMULATORS = simulators.STAND_INS


@dataclass(frozen=True, slots=True)
class BenchStack:
    """The processes the bench measures."""

    chosen: settings.Settings
    report: progress.Progress

    @classmethod
    def of(cls, environment: Mapping[str, str], report: progress.Progress) -> "BenchStack":
        """The stack on its usual ports, or above STACK_PORT_BASE. The servers a user already has are left alone.

        Raises a StackError for a port that is none.
        """
        main = layout.chosen(layout.MAIN, environment)
        base = environment.get("STACK_PORT_BASE") or str(main.port_base + ABOVE_MAIN)
        stack = layout.chosen(NAME, {**environment, "STACK_PORT_BASE": base})
        own = {name: value for name, value in environment.items() if not _names_a_server(name)}
        chosen = settings.read(stack, own)
        # After reading, which leaves out what an earlier run of this stack exported.
        return cls(dataclasses.replace(chosen, given={**chosen.given, **environment_of(chosen.services)}), report)

    def begin(self) -> None:
        """Remove what an earlier run left and bring the stack up, its shop empty. Raises a StackError."""
        down.clean(self.chosen.stack, self.report)
        up.up(up.Run(self.chosen, self.report))

    def end(self) -> None:
        """Stop every process of the stack."""
        down.down(self.chosen.stack, self.report)

    def restart_services(self, changed: Mapping[str, str]) -> None:
        """Stop the services and start them with these settings in addition. Raises a StackError."""
        chosen = dataclasses.replace(self.chosen, given={**self.chosen.given, **changed})
        down.stop(self.chosen.stack, self.service_names, self.report)
        cancelled = threading.Event()
        starter = component.Starter(self._running, self.report, cancelled)
        for service in plan.Plan(chosen, self.report, cancelled).services():
            starter.ensure(service)

    @property
    def service_names(self) -> tuple[str, ...]:
        """The processes that host the services."""
        return plan.service_names(self.chosen)

    def exported(self) -> dict[str, str]:
        """What the stack tells scripts: addresses, database URLs, the administrator."""
        return settings.exported(self.chosen)

    def pids(self) -> dict[str, int]:
        """Every process of the stack that runs, by name: the root of its process tree."""
        records = {name: self._running.running(name) for name in plan.names(self.chosen)}
        return {name: record.pid for name, record in records.items() if record}

    def memory(self) -> dict[str, int]:
        """Bytes each process holds, with its children; pages they share are shared out among them."""
        records = {name: self._running.running(name) for name in plan.names(self.chosen)}
        return {name: processes.memory(record) for name, record in records.items() if record}

    @property
    def _running(self) -> processes.Processes:
        return processes.Processes(self.chosen.stack.folder)


def environment_of(services: Iterable[registry.Service]) -> dict[str, str]:
    """What the bench sets. Stacks beside the main one are impatient, for tests; here all wait as they do in production."""
    impatient = settings.FOR_TESTS.keys() - EDGE_FACTOR.keys()
    usual: dict[str, str] = {}
    for service in services:
        own = importlib.import_module(f"services.{service.name}.settings").Settings
        usual |= {item.metadata["env"]: str(item.default) for item in dataclasses.fields(own)}
    return {**{name: usual[name] for name in sorted(impatient)}, **EDGE_FACTOR}


def _names_a_server(variable: str) -> bool:
    return variable in settings.SERVERS or variable.endswith("_DATABASE_URL")
