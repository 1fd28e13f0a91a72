"""Stop, kill and start one process of a stack by its name: for tests that break things, and for `make` at hand.

stack = control.Stacked("test")
stack.kill("order")            # kill -9, and wait until it is gone
stack.start("order")           # with the settings of the last `up`; returns when it answers
stack.pid("kafka"), stack.log("order").read_text()
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack import down, layout, plan, settings
from scripts.stack.supervise import component, problems, processes, progress


@dataclass(frozen=True, slots=True)
class Stacked:
    """The processes of one stack, by name: kafka, postgres, redis, provider, carrier, mail, edge, each service (or services)."""

    name: str = layout.MAIN
    report: progress.Progress = field(default_factory=progress.Silent)

    def pid(self, process: str) -> int:
        """The pid of a running process. Raises a StackError when it does not run."""
        return self._running(process).pid

    def alive(self, process: str) -> bool:
        """Tell whether the process runs."""
        return self._processes.running(process) is not None

    def log(self, process: str) -> Path:
        """The log of a process."""
        return self._processes.log(process)

    def kill(self, process: str) -> None:
        """End it as `kill -9` does, and wait until it is gone. Raises a StackError when it does not run."""
        processes.kill(self._running(process))
        self.report.say(process, "killed")

    def stop(self, process: str) -> None:
        """Ask a process to end in good order, and wait. Stopping what does not run is no error."""
        down.stop(self._stack, (process,), self.report)

    def start(self, process: str, **environment: str) -> None:
        """Start a process, unless it is up, and wait until it answers; `environment` adds to its settings.

        Raises a StackError when the stack has no such process, or when it does not come up.
        """
        for pids in (pids for name, pids in self._processes.leftovers().items() if name == process):
            processes.end_pids(pids)
        cancelled = threading.Event()
        wanted = plan.Plan(self._settings(environment), self.report, cancelled).named(process)
        if wanted is None:
            raise self._unknown(process)
        component.Starter(self._processes, self.report, cancelled).ensure(wanted)

    def restart(self, process: str, **environment: str) -> None:
        """Stop and start."""
        self.stop(process)
        self.start(process, **environment)

    @property
    def _stack(self) -> layout.Stack:
        return layout.saved(self.name)

    @property
    def _processes(self) -> processes.Processes:
        return processes.Processes(self._stack.folder)

    def _settings(self, environment: Mapping[str, str]) -> settings.Settings:
        return settings.read(self._stack, {**os.environ, **environment}, resume=True)

    def _running(self, process: str) -> processes.Record:
        record = self._processes.running(process)
        if record is None:
            raise problems.StackError(f"{process} does not run in the stack {self.name}: see `make status`")
        return record

    def _unknown(self, process: str) -> problems.StackError:
        names = plan.names(self._settings({}))
        return problems.StackError(f"the stack {self.name} has no process {process}; it has {', '.join(names)}")
