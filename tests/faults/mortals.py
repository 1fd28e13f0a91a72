"""Services of the running stack that die where a trap says, and how the others learn of their death at once."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove

from scripts.stack import control, layout, plan, settings
from scripts.stack.supervise import component, processes, progress
from tests.support import stack, traps
from tests.support.polling import eventually

# Nothing is cancelled because somebody was dead for a while, and what a dead process had claimed is free again soon. A cart
# is left as soon as nobody touches it.
PATIENCE = {
    "ORDER_STOCK_DEADLINE_S": "60",
    "ORDER_PAYMENT_DEADLINE_S": "60",
    "ORDER_CONFIRMATION_DEADLINE_S": "60",
    "ORDER_COMPENSATION_DEADLINE_S": "60",
    "INVENTORY_HOLD_S": "300",
    "PAYMENT_PROVIDER_TIMEOUT_S": "1",
    "NOTIFICATION_SMTP_TIMEOUT_S": "0.8",
    "CART_REMINDER_S": "1",
    "CART_REMINDER_LEASE_S": "1",
}
DIES_WITHIN_S = 15.0
LIVES_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Mortals:
    """The services of an order's journey, each in its process that can be trapped. `chosen` are their stack's settings."""

    chosen: settings.Settings
    services: Sequence[str]

    def start(self) -> None:
        """Replace the stack's processes."""
        self._each(self._start)

    def end(self) -> None:
        """Put the stack's own processes back."""
        self._each(control.Stacked(self.chosen.stack.name).restart)

    def trap(self, service: str, trap: traps.Trap) -> None:
        """Let a service die at a line, the next time it passes it."""
        trap.set(self._trap_file(self._host(service)))

    def spoil(self, service: str, line: traps.Trap) -> None:
        """Let what a service does fail at a line, until it is healed."""
        line.spoil(self._trap_file(self._host(service)))

    def heal(self, service: str) -> None:
        """Nothing fails any more."""
        traps.heal(self._trap_file(self._host(service)))

    async def dies(self, service: str) -> None:
        """Wait until the service has died in its trap. Raises TimeoutError when it lives on."""
        trap = self._trap_file(self._host(service))

        async def dead() -> bool:
            return traps.note(trap).exists() and not trap.exists()

        await eventually(dead, within_s=DIES_WITHIN_S)

    async def revive(self, service: str) -> None:
        """Start a dead service again. Brokers and leases would wait for some seconds for the dead one: they are told."""
        host = self._host(service)
        died = traps.note(self._trap_file(host))
        await asyncio.to_thread(self._end_leases, int(died.read_text()))
        hosted = [service] if host == service else [wanted.name for wanted in self.chosen.services]
        await asyncio.to_thread(self._leave_groups, hosted)
        died.unlink()
        healthy = self._component(host).healthy
        await eventually(lambda: asyncio.to_thread(healthy), within_s=LIVES_WITHIN_S)

    @property
    def _processes(self) -> processes.Processes:
        return processes.Processes(self.chosen.stack.folder)

    def _each(self, act: Callable[[str], None]) -> None:
        hosts = {self._host(service) for service in self.services}
        with ThreadPoolExecutor(len(hosts)) as pool:
            list(pool.map(act, hosts))

    def _host(self, service: str) -> str:
        names = plan.service_names(self.chosen)
        return service if service in names else names[0]

    def _trap_file(self, host: str) -> Path:
        return self.chosen.stack.folder / f"{host}.trap"

    def _component(self, host: str) -> component.Component:
        found = plan.Plan(self.chosen, progress.Silent(), threading.Event()).named(host)
        assert found is not None
        return found

    def _start(self, host: str) -> None:
        usual, trap = self._component(host), self._trap_file(host)
        traps.heal(trap)
        for file in (trap, traps.note(trap)):
            file.unlink(missing_ok=True)
        command = (sys.executable, "-m", "tests.support.trapped", *usual.program.command[3:])
        environment = {**usual.program.environment, traps.FILE: str(trap)}
        program = replace(usual.program, command=command, environment=environment)
        wanted = replace(usual, program=program, fingerprint="trapped")
        component.Starter(self._processes, progress.Silent(), threading.Event()).ensure(wanted)

    def _end_leases(self, pid: int) -> None:
        for service in self.chosen.with_database():
            with psycopg.connect(self.chosen.database_url(service), autocommit=True) as connection:
                connection.execute("UPDATE leases SET expires_at = '-infinity' WHERE owner LIKE %s", [f"%:{pid}:%"])

    def _leave_groups(self, groups: Sequence[str]) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.chosen.servers()["KAFKA_BOOTSTRAP"])
        try:
            for group, described in admin.describe_groups(list(groups)).items():
                members = [MemberToRemove(member_id=member["member_id"]) for member in described["members"]]
                if members:
                    admin.remove_group_members(group, members)
        finally:
            admin.close()


@contextmanager
def of_the_stack(services: Sequence[str]) -> Iterator[Mortals]:
    """Those of the stack that the tests use, which can be trapped until the block ends."""
    given = {**os.environ, **PATIENCE}
    mortal = Mortals(settings.read(layout.saved(stack.name()), given, resume=True), services)
    try:
        mortal.start()
        yield mortal
    finally:
        mortal.end()
