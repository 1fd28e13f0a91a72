"""What the edge is told by its environment, read once and checked at once."""

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(Exception):
    """The environment is wrong. `problems` holds one line per mistake, all at once."""

    def __init__(self, problems: Collection[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    @property
    def is_ip(self) -> bool:
        """Whether the host is an IP address rather than a name to look up."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.is_ip and ipaddress.ip_address(self.host).is_loopback


@dataclass(frozen=True, slots=True)
class Settings:
    """The edge's settings; `README.md` documents each variable."""

    listen: Address
    admin: Address
    services: Mapping[str, tuple[Address, ...]]
    rate_limit_factor: float
    allowed_origins: tuple[str, ...]
    max_request_bytes: int
    trusted_hops: int
    issuer: str
    audience: str
    tracing: Address | None
    trace_ratio: float
    access_log: str
    # The folder of the edge's certificate; None while the mesh speaks plain text.
    tls: Path | None
    # Where the generated files will lie.
    folder: Path = Path()


def from_environment(environment: Mapping[str, str], services: Collection[str]) -> Settings:
    """The settings in these variables, for an edge before these services. Raises SettingsError."""
    reader = _Reader(environment)
    settings = Settings(
        listen=reader.ip_address("EDGE_LISTEN", "127.0.0.1:8080"),
        admin=reader.ip_address("EDGE_ADMIN_LISTEN", "127.0.0.1:9901"),
        services={name: reader.addresses(f"{name.upper()}_ADDR") for name in services},
        rate_limit_factor=reader.positive("EDGE_RATE_LIMIT_FACTOR", "1"),
        allowed_origins=reader.names("EDGE_ALLOWED_ORIGINS", "http://localhost:3000"),
        max_request_bytes=int(reader.positive("EDGE_MAX_REQUEST_BYTES", "1048576")),
        trusted_hops=reader.count("EDGE_TRUSTED_HOPS", "0"),
        issuer=reader.text("TOKEN_ISSUER", "https://souk.local"),
        audience=reader.text("TOKEN_AUDIENCE", "souk"),
        tracing=reader.collector("OTEL_EXPORTER_OTLP_ENDPOINT"),
        trace_ratio=reader.fraction("TRACE_RATIO", "0.1"),
        access_log=reader.text("EDGE_ACCESS_LOG", ""),
        tls=reader.certificates("MESH_TLS_DIR"),
    )
    if not settings.admin.is_loopback:
        reader.problems.append("EDGE_ADMIN_LISTEN: the admin interface has no password; give it a loopback address")
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


class _Reader:
    """Reads variables and remembers what was wrong with them; an empty variable counts as unset."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default

    def names(self, name: str, default: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def positive(self, name: str, default: str) -> float:
        number = self._number(name, default)
        if number <= 0:
            self.problems.append(f"{name}: must be a number above 0, not `{self.text(name, default)}`")
            return 1
        return number

    def fraction(self, name: str, default: str) -> float:
        number = self._number(name, default)
        if not 0 <= number <= 1:
            self.problems.append(f"{name}: must be a number from 0 to 1, not `{self.text(name, default)}`")
        return number

    def count(self, name: str, default: str) -> int:
        text = self.text(name, default)
        if text.isdecimal():
            return int(text)
        self.problems.append(f"{name}: must be a whole number, not `{text}`")
        return 0

    def ip_address(self, name: str, default: str) -> Address:
        address = self._address(name, self.text(name, default))
        if not address.is_ip:
            self.problems.append(f"{name}: must be an IP address and a port, not `{self.text(name, default)}`")
        return address

    def addresses(self, name: str) -> tuple[Address, ...]:
        addresses = tuple(self._address(name, part) for part in self.names(name, ""))
        if not addresses:
            self.problems.append(f"{name}: not set; it says where the service listens, as host:port")
        elif len({address.is_ip for address in addresses}) > 1:
            self.problems.append(f"{name}: give IP addresses or names, not both")
        return addresses

    def certificates(self, name: str) -> Path | None:
        text = self.text(name, "")
        missing = [file for file in ("tls.crt", "tls.key", "ca.crt") if text and not (Path(text) / file).is_file()]
        if missing:
            self.problems.append(f"{name}: {text} has no {', '.join(missing)}")
        return Path(text).absolute() if text else None

    def collector(self, name: str) -> Address | None:
        endpoint = self.text(name, "")
        if not endpoint:
            return None
        parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
        if parts.scheme != "http":
            self.problems.append(f"{name}: the edge speaks plain gRPC to the collector, so http://host:port")
        return Address(parts.hostname or "", parts.port or 4317)

    def _number(self, name: str, default: str) -> float:
        try:
            return float(self.text(name, default))
        except ValueError:
            return -1

    def _address(self, name: str, text: str) -> Address:
        host, _, port = text.rpartition(":")
        if host and port.isdecimal() and 0 < int(port) <= 65535:
            return Address(host.strip("[]"), int(port))
        self.problems.append(f"{name}: must be host:port, not `{text}`")
        return Address("127.0.0.1", 0)
