"""The registry, read: which services exist and what each one needs (`services.yaml` says what the fields mean)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).with_name("services.yaml")


class UnknownServiceError(Exception):
    """A name that the registry does not have."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the registry."""

    name: str
    port: int
    metrics_port: int
    stores: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    books: bool = False
    cpu_ms: float = 0.0

    @property
    def roles(self) -> tuple[str, ...]:
        """What its processes do: `serve` always, `work` where there is an outbox, a table to purge or a topic to read."""
        return ("serve", "work") if "postgres" in self.stores or self.consumes else ("serve",)

    @property
    def on_kafka(self) -> bool:
        """Whether it publishes or consumes, and so needs the brokers and a user there."""
        return bool(self.publishes or self.consumes)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the registry: what its records' key is, and how many partitions it starts with."""

    key: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Registry:
    """All services and topics, in the file's order."""

    services: dict[str, Service]
    topics: dict[str, Topic]

    def choose(self, names: Sequence[str]) -> list[str]:
        """These services, or all without a name. Raises UnknownServiceError."""
        unknown = [name for name in names if name not in self.services]
        if unknown:
            raise UnknownServiceError(f"no such service: {', '.join(unknown)}; there are {', '.join(self.services)}")
        return list(names) or list(self.services)

    def keeping_books(self) -> list[str]:
        """The services whose books the audit compares."""
        return [service.name for service in self.services.values() if service.books]

    def with_store(self, names: Sequence[str], store: str) -> list[str]:
        """Those of the chosen services that keep data in `store`."""
        return [name for name in self.choose(names) if store in self.services[name].stores]


def load(path: Path = PATH) -> Registry:
    """The registry in a file. Raises TypeError or KeyError when a block has a field too many or too few."""
    document = yaml.safe_load(path.read_text())
    services = {name: Service(name, **_tuples(block)) for name, block in document["services"].items()}
    topics = {name: Topic(**block) for name, block in document["topics"].items()}
    return Registry(services, topics)


def _tuples(block: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in block.items()}
