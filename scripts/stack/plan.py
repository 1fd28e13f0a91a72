"""All components of a stack: what it runs, and in which order it is brought up and taken down."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from scripts.stack import settings
from scripts.stack.servers import edge, kafka, mesh, postgres, redis, simulators
from scripts.stack.supervise import component, progress

SERVERS = (kafka.NAME, postgres.NAME, redis.NAME, *simulators.STAND_INS)
Maker = Callable[[], component.Component]


@dataclass(frozen=True, slots=True)
class Plan:
    """How each component of a stack is made. Making one may take a moment (downloads, generating), so it is done late."""

    chosen: settings.Settings
    report: progress.Progress
    cancelled: threading.Event

    def servers(self) -> dict[str, Maker]:
        """Everything the services need or stand behind; each can be brought up without waiting for another."""
        makers: dict[str, Maker] = {
            kafka.NAME: self._kafka,
            postgres.NAME: lambda: postgres.build(self.chosen),
            redis.NAME: lambda: redis.build(self.chosen),
            simulators.PROVIDER: lambda: simulators.provider(self.chosen),
            simulators.CARRIER: lambda: simulators.carrier(self.chosen),
            simulators.MAIL: lambda: simulators.mail(self.chosen),
            simulators.OBJECTS: lambda: simulators.objects(self.chosen),
        }
        return {name: makers[name] for name in SERVERS if self.chosen.starts(name)}

    def edge(self) -> component.Component:
        """The edge, with its configuration generated anew."""
        edge.generate(self.chosen)
        return edge.build(self.chosen)

    def services(self) -> tuple[component.Component, ...]:
        """The processes that host the services."""
        return mesh.build(self.chosen)

    def named(self, name: str) -> component.Component | None:
        """The component called `name`, None when this stack has none."""
        if name == edge.NAME:
            return self.edge()
        if maker := self.servers().get(name):
            return maker()
        return next((service for service in self.services() if service.name == name), None)

    def _kafka(self) -> component.Component:
        jars = kafka.class_path(self.chosen.stack.cache, self.report, cancelled=self.cancelled)
        return kafka.build(self.chosen, jars)


def names(chosen: settings.Settings) -> tuple[str, ...]:
    """Every process of the stack, in the order they are brought up."""
    return (*(name for name in SERVERS if chosen.starts(name)), *service_names(chosen), edge.NAME)


def service_names(chosen: settings.Settings) -> tuple[str, ...]:
    """The names of the processes that host the services."""
    if chosen.stack.together:
        return (mesh.TOGETHER,)
    return tuple(service.name for service in chosen.services)


def ending_order(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The given processes in groups that are ended one after the other: nobody loses what it still needs."""
    late = simulators.STAND_INS, (kafka.NAME,), (redis.NAME, postgres.NAME)
    settled = {edge.NAME, *(name for group in late for name in group)}
    services = tuple(name for name in names if name not in settled)
    groups = ((edge.NAME,), services, *late)
    return tuple(group for wanted in groups if (group := tuple(name for name in wanted if name in names)))
