"""Where a stack keeps its things and which ports it uses. Two stacks share nothing but the cache of downloads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.operate import storage
from scripts.stack.supervise import places, problems

ROOT, HOST = places.ROOT, places.HOST
MAIN = "main"
# What a stack's ports are, counted from its base. Services take 51 and up, from the last two digits of their own port.
OFFSETS = {
    "postgres": 1,
    "redis": 2,
    "kafka": 3,
    "kafka-controller": 4,
    "provider": 5,
    "mail": 6,
    "edge-admin": 7,
    "objects": 8,
    "carrier": 9,
}
EDGE_OFFSET = 80
METRICS_OFFSET = 100
TOGETHER_METRICS_OFFSET = 150
HEALTH_OFFSET = 120
TOGETHER_HEALTH_OFFSET = 170
LOWEST_BASE, HIGHEST_BASE = places.LOWEST_PORT, places.HIGHEST_PORT - 200


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack: its name, its ports, whether all services share one process and whether they speak mutual TLS.

    `root` is the folder whose `.souk` it lives in; the code it runs is always this repository's.
    """

    name: str = MAIN
    port_base: int = 21000
    edge_port: int = 8080
    together: bool = False
    root: Path = ROOT
    mesh_tls: bool = False

    @property
    def folder(self) -> Path:
        """Where its data, records, logs and secrets lie."""
        return self.root / ".souk" / "stacks" / self.name

    @property
    def tls(self) -> Path:
        """Where the certificates of the mesh lie, a folder for each identity."""
        return self.folder / "tls"

    @property
    def env_file(self) -> Path:
        """The settings it writes for scripts and tests, as shell assignments."""
        return self.folder / "env"

    @property
    def cache(self) -> Path:
        """Downloads, shared by all stacks; survives `make clean`."""
        return self.root / ".souk" / "cache"

    def port(self, part: str) -> int:
        """The port of a server that is not a service."""
        return self.port_base + OFFSETS[part]

    def address(self, part: str) -> str:
        """`host:port` of a server that is not a service."""
        return f"{HOST}:{self.port(part)}"

    def service_port(self, port: int) -> int:
        """The local port of a service that listens on `port` in its own container."""
        return self.port_base + port % 100

    def metrics_port(self, port: int) -> int:
        """The local port for the metrics a service offers on `port` in its own container."""
        return self.port_base + METRICS_OFFSET + port % 100

    @property
    def together_metrics_port(self) -> int:
        """The metrics port of the one process that holds all services."""
        return self.port_base + TOGETHER_METRICS_OFFSET

    def health_port(self, port: int) -> int:
        """The local port on which the process of the service that listens on `port` in its container answers probes."""
        return self.port_base + HEALTH_OFFSET + port % 100

    @property
    def together_health_port(self) -> int:
        """The health port of the one process that holds all services."""
        return self.port_base + TOGETHER_HEALTH_OFFSET

    def save(self) -> None:
        """Remember the ports and the mode, for the commands that come after `up`."""
        choice = {"port_base": self.port_base, "edge_port": self.edge_port, "together": self.together}
        choice["mesh_tls"] = self.mesh_tls
        # Others may pass through: PostgreSQL runs as another user where this one is root. What is in it is closed to them.
        self.folder.mkdir(parents=True, exist_ok=True)
        storage.write(self.folder / "stack.json", json.dumps(choice))


def chosen(name: str, environment: Mapping[str, str], *, together: bool = False, root: Path = ROOT) -> Stack:
    """The stack that `up` is asked for: its usual ports, unless PORT_BASE or EDGE_PORT say otherwise.

    Both variables are the main stack's. Any other stack stands 1000 ports above it, so that moving the one moves the
    other; STACK_PORT_BASE gives it a base of its own. Raises a StackError for a port that is none.
    """
    main_base = _port(environment, "PORT_BASE", 21000)
    tls = environment.get("MESH_TLS", "") not in ("", "0", "no", "false")
    if name == MAIN:
        return _checked(Stack(name, main_base, _port(environment, "EDGE_PORT", 8080), together, root, tls))
    base = _port(environment, "STACK_PORT_BASE", main_base + 1000)
    return _checked(Stack(name, base, base + EDGE_OFFSET, together, root, tls))


def started(root: Path = ROOT) -> tuple[str, ...]:
    """The names of the stacks that left anything behind."""
    return tuple(sorted(path.name for path in (root / ".souk" / "stacks").glob("*/")))


def _checked(stack: Stack) -> Stack:
    if not LOWEST_BASE <= stack.port_base <= HIGHEST_BASE:
        raise problems.StackError(
            f"port base {stack.port_base} leaves no room for {stack.name}: "
            f"set PORT_BASE to a number from {LOWEST_BASE} to {HIGHEST_BASE - 1000}"
        )
    return stack


def saved(name: str, root: Path = ROOT) -> Stack:
    """The stack as `up` last made it; one that never was up has the usual ports."""
    usual = chosen(name, {}, root=root)
    try:
        choice = json.loads((usual.folder / "stack.json").read_text())
    except FileNotFoundError:
        return usual
    return Stack(
        name, choice["port_base"], choice["edge_port"], choice["together"], root, choice.get("mesh_tls", False)
    )


def _port(environment: Mapping[str, str], variable: str, usual: int) -> int:
    text = environment.get(variable, "")
    if not text:
        return usual
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise problems.StackError(f"{variable}={text} is no port: give a number from 1 to 65535")
    return int(text)
