"""Deaths: which service dies at which line. The tests of deaths are tables of them, and grow by rows."""

from dataclasses import dataclass

from tests.support.traps import Trap


@dataclass(frozen=True, slots=True)
class Death:
    """Who dies, and where."""

    service: str
    trap: Trap

    def __str__(self) -> str:
        return f"{self.service}-{self.trap.at}-{self.trap.about}".replace(" ", "-")


def deaths(service: str, doing: str, about: str, *moments: str) -> list[Death]:
    """A death of a service at each of these moments of one thing that it does."""
    return [Death(service, Trap(f"{doing} {moment}", about)) for moment in moments]


RELAY = ("read", "acknowledged", "done")
CONSUMER = ("written", "committed", "offsets-committed")
EFFECT = ("claimed", "answered", "written", "committed")
COMMIT = ("written", "committed")
# Before and after one use of Redis.
REDIS = ("asked", "answered")
