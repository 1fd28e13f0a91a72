"""From what was counted to what is told: percentiles, rates, CPU per order. Pure arithmetic."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of `count` durations in milliseconds, by nearest rank; zeros when there are none."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Percentiles":
        """The percentiles of these values."""
        ordered = sorted(values)
        return cls(len(ordered), *(_ranked(ordered, share) for share in (0.50, 0.95, 0.99, 1.0)))


@dataclass(frozen=True, slots=True)
class Parts:
    """Which processes are services and which stand for systems outside, such as the payment provider."""

    services: Collection[str]
    simulators: Collection[str]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds per order. `total` is of everything but the load generator and the simulators."""

    total: float
    with_simulators: float
    services: float
    by_process: Mapping[str, float]
    load_generator: float

    @classmethod
    def of(cls, spent_s: Mapping[str, float], generator_s: float, orders: int, parts: Parts) -> "Cost":
        """What so many orders cost each; zeros when there were none."""
        each = {name: _each(seconds, orders) for name, seconds in spent_s.items()}
        own = [cost for name, cost in each.items() if name not in parts.simulators]
        services = [cost for name, cost in each.items() if name in parts.services]
        return cls(
            total=round(sum(own), 3),
            with_simulators=round(sum(each.values()), 3),
            services=round(sum(services), 3),
            by_process=each,
            load_generator=_each(generator_s, orders),
        )


def rate(count: int, seconds: float) -> float:
    """How many a second."""
    return round(count / seconds, 1) if seconds > 0 else 0.0


def mib(sizes: Mapping[str, int]) -> dict[str, float]:
    """Bytes as MiB."""
    return {name: round(size / MIB, 1) for name, size in sizes.items()}


def _ranked(ordered: Sequence[float], share: float) -> float:
    return round(ordered[math.ceil(share * len(ordered)) - 1], 1) if ordered else 0.0


def _each(seconds: float, orders: int) -> float:
    return round(1000 * seconds / orders, 3) if orders else 0.0
