"""A process of the stack and how it is brought up: reuse it, replace it, or start it and wait until it answers."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.stack.supervise import ports, problems, processes, progress

# Tells whether a server answers; quick, and never raises.
Check = Callable[[], bool]


def nothing() -> None:
    """What a component without preparation does first."""


@dataclass(frozen=True, slots=True)
class Component:
    """What a process is and needs: how to run it, its ports, and how to tell that it answers.

    A running process whose `fingerprint` differs was started with other settings or other code: it is replaced.
    """

    name: str
    program: processes.Program
    address: str
    ports: tuple[int, ...]
    variable: str
    healthy: Check
    fingerprint: str
    prepare: Callable[[], None] = nothing
    patience_s: float = 90.0
    # How long a process that runs already may take to answer before it is replaced.
    reuse_patience_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Starter:
    """Brings components up, each by itself; several threads may use one.

    `cancelled` ends every wait. The name of every process that is started is added to `started`, before it answers.
    """

    running: processes.Processes
    report: progress.Progress
    cancelled: threading.Event
    started: list[str] = field(default_factory=list)

    def ensure(self, component: Component) -> bool:
        """See to it that the component runs and answers. Answers whether it had to be started.

        Raises a StackError when its port is taken, when it dies or when it does not answer in time.
        """
        record = self.running.running(component.name)
        if record and self._still_good(component, record):
            self.report.say(component.name, f"already up at {component.address} (pid {record.pid})")
            return False
        if record:
            processes.stop(record, grace=10)
        self._start(component)
        return True

    def _still_good(self, component: Component, record: processes.Record) -> bool:
        if record.fingerprint != component.fingerprint:
            self.report.say(component.name, "its settings or code changed: restarting it")
            return False
        if not _poll(
            lambda: component.healthy() or not record.alive(),
            seconds=component.reuse_patience_s,
            cancelled=self.cancelled,
        ):
            self.report.say(component.name, "does not answer: restarting it")
            return False
        return record.alive()

    def _start(self, component: Component) -> None:
        begun = time.monotonic()
        for port in component.ports:
            ports.require_free(port, part=component.name, variable=component.variable)
        component.prepare()
        self.started.append(component.name)
        record = self.running.start(
            component.name, component.program, address=component.address, fingerprint=component.fingerprint
        )
        self._wait(component, record)
        took = time.monotonic() - begun
        self.report.say(component.name, f"up at {component.address} after {took:.1f} s (pid {record.pid})")

    def _wait(self, component: Component, record: processes.Record) -> None:
        ready = _poll(
            lambda: not record.alive() or (component.healthy() and _owns_all(record, component)),
            seconds=component.patience_s,
            cancelled=self.cancelled,
        )
        if not record.alive():
            raise problems.StackError(died(record))
        if not ready:
            said = processes.last_words(record)
            raise problems.StackError(
                f"{record.name} does not answer at {record.address} after {component.patience_s:.0f} s; "
                f"its last words: {said or '(none)'}; its log: {record.log}"
            )


class Cancelled(BaseException):
    """The run was interrupted while something was awaited: like KeyboardInterrupt, a wish and no error."""


def died(record: processes.Record) -> str:
    """One line about a process that ended when it should not have."""
    said = processes.last_words(record)
    return f"{record.name} died; its last words: {said or '(none)'}; see its log {record.log}, then run again"


def _owns_all(record: processes.Record, component: Component) -> bool:
    return all(ports.owns(record.pid, port) for port in component.ports)


def _poll(condition: Callable[[], bool], *, seconds: float, cancelled: threading.Event) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if cancelled.wait(0.05):
            raise Cancelled
        if time.monotonic() > until:
            return False
    return True
