"""Putting a service together: what every service has, built from its settings, so that its `main.py` shows only its own.

A `Host` is the process: one or several services live in it, as `serve` (calls), `work` (relay, consumer, timers,
effects) or both. An `Assembly` is one service in it: its database and outbox, its server, its consumer, its loops.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jwt
from google.protobuf.descriptor import ServiceDescriptor

from services import kafka_security
from services.chassis import (
    clock,
    consumer,
    database,
    events,
    kafka,
    loops,
    outbox,
    parked,
    process,
    relay,
    retention,
)
from services.chassis.rpc import certificates, client, identity, page_tokens, server
from services.chassis.settings import SettingsError, env, read

SERVE = "serve"
WORK = "work"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Settings:
    """What every service reads from the environment."""

    listen: str = env("{SERVICE}_LISTEN")
    database_url: str = env("{SERVICE}_DATABASE_URL", secret=True)
    database_pool: int = env("{SERVICE}_DATABASE_POOL", default=8)
    mesh_key: str = env("MESH_KEY", default="", secret=True)
    mesh_tls_dir: str = env("MESH_TLS_DIR", default="")
    token_issuer: str = env("TOKEN_ISSUER", default="https://souk.local")
    token_audience: str = env("TOKEN_AUDIENCE", default="souk")
    # Accept page tokens without a signature, as releases before signatures made them: for the rollout of the first one with.
    page_tokens_unsigned: bool = env("PAGE_TOKENS_UNSIGNED", default=False)
    consumer_batch: int = env("CONSUMER_BATCH", default=500)
    relay_batch: int = env("RELAY_BATCH", default=1000)
    # After a small batch the next one may grow for so long: at half of what a machine can do, this is a third of the delay.
    gather_s: float = env("GATHER_S", default=0.03)
    traces: str = env("OTEL_EXPORTER_OTLP_ENDPOINT", default="")


@dataclass(frozen=True, slots=True)
class Host:
    """The process that services live in: its environment, its role, its name and its clock."""

    environ: Mapping[str, str]
    role: str
    owner: str
    now: clock.Clock


@dataclass(frozen=True, slots=True)
class Consuming:
    """What a service consumes: topics, and who handles what is in them."""

    topics: Sequence[str]
    subscribers: events.Subscribers


class Assembly:
    """One service in its host. `publications` is the table in its `events.py`."""

    def __init__(self, service: str, host: Host, publications: outbox.Publications) -> None:
        self.service = service
        self.host = host
        self.settings = read(Settings, host.environ, service=service)
        self.brokers = read(kafka_security.Settings, host.environ)
        self.mesh = _mesh(self.settings, service)
        writer = outbox.Outbox(publications, host.now, self._wake_relay)
        self.db = database.Database(self.settings.database_url, writer, pool_size=self.settings.database_pool)
        self.page_tokens = page_tokens.PageTokens(self.db, unsigned=self.settings.page_tokens_unsigned)
        self._peers: list[client.Peer] = []
        self._relay_loop: loops.Loop | None = None

    def _wake_relay(self) -> None:
        if self._relay_loop:
            self._relay_loop.wake()

    def peer(self, name: str, descriptor: ServiceDescriptor) -> client.Peer:
        """Another service of the mesh, at the address in `<NAME>_ADDR`. Raises KeyError without one."""
        address = self.host.environ[f"{name.upper()}_ADDR"]
        made = client.Peer(address, descriptor, self.mesh, traced=bool(self.settings.traces))
        self._peers.append(made)
        return made

    def gate(self, fetch_keys: identity.FetchKeys) -> identity.Gate:
        """Lets calls in by the keys that `fetch_keys` gives."""
        issuer = identity.Issuer(self.settings.token_issuer, self.settings.token_audience)
        return identity.Gate(identity.Tokens(issuer, fetch_keys), self.mesh)

    def parts(
        self,
        servicer: server.Servicer,
        fetch_keys: identity.FetchKeys,
        *,
        consuming: Consuming | None = None,
        serving: Sequence[process.Part] = (),
        working: Sequence[process.Part] = (),
    ) -> list[process.Part]:
        """The parts of this service that its host's role asks for, in the order they start.

        `serving` and `working` are its own, beside its calls and beside its consumer.
        """
        parts: list[process.Part] = [self.db, *self._peers]
        if self.host.role in (WORK, ALL):
            parts += [*self._machinery(consuming), *working, *self._consumer(consuming)]
        if self.host.role in (SERVE, ALL):
            traced = bool(self.settings.traces)
            calls = server.Server(self.service, self.settings.listen, self.gate(fetch_keys), servicer, traced=traced)
            parts += [*serving, calls]
        return parts

    def _machinery(self, consuming: Consuming | None) -> list[process.Part]:
        producer = kafka.Producer(self.brokers.connection(self.service))
        owner, batch = self.host.owner, self.settings.relay_batch
        bringer = relay.Relay(self.db, producer, service=self.service, owner=owner, batch=batch)
        # Fallback polling only: writers in this process wake it at commit.
        self._relay_loop = loops.Loop(
            f"{self.service}-relay",
            bringer.work,
            loops.Pace(0.05, 0.25, gather_s=self.settings.gather_s),
            leave=bringer.leave,
        )
        keeper = retention.Retention(self.db, self.host.now)
        gauges = retention.Gauges(self.db, self.service)
        parts: list[process.Part] = [
            producer,
            self._relay_loop,
            loops.Loop(f"{self.service}-retention", keeper.work, loops.Pace(600)),
            loops.Loop(f"{self.service}-gauges", gauges.work, loops.Pace(10)),
        ]
        if consuming:
            again = parked.Retrier(self.db, self._reader(consuming), service=self.service, now=self.host.now)
            parts.append(loops.Loop(f"{self.service}-parked", again.work, loops.Pace(1.0, 2.0)))
        return parts

    def _consumer(self, consuming: Consuming | None) -> list[process.Part]:
        if not consuming:
            return []
        deliverer = consumer.Deliverer(self.db, self._reader(consuming), service=self.service, now=self.host.now)
        subscription = kafka.Subscription(
            consuming.topics, self.service, self.settings.consumer_batch, self.settings.gather_s
        )
        return [kafka.Consumer(self.brokers.connection(self.service), subscription, deliverer.deliver)]

    def _reader(self, consuming: Consuming) -> events.Reader:
        return events.Reader(consuming.subscribers)


def _mesh(settings: Settings, service: str) -> identity.Mesh:
    """How the service proves who it is."""
    if not settings.mesh_tls_dir:
        if not settings.mesh_key:
            raise SettingsError("neither MESH_TLS_DIR nor MESH_KEY is set")
        return identity.Mesh(settings.mesh_key, service)
    folder = Path(settings.mesh_tls_dir)
    # A process that hosts several services has a folder in it for each.
    own = folder / service if (folder / service).is_dir() else folder
    try:
        return identity.Mesh("", service, certificates.Certificates(own))
    except (OSError, ValueError) as error:
        raise SettingsError(f"MESH_TLS_DIR: {error}") from error


def migrations(service: str) -> Path:
    """The folder of a service's own migrations."""
    return Path(__file__).resolve().parent.parent / service / "migrations"


def keys_of(jwks: Sequence[Mapping[str, str]]) -> dict[str, jwt.PyJWK]:
    """Public keys by key id, out of the members of a JWK set."""
    return {key["kid"]: jwt.PyJWK(dict(key), algorithm=identity.ALGORITHM) for key in jwks}
