"""Putting a service together: what its registry block names, built from its settings, so that `main.py` shows only its own.

A `Host` is the process: one or several services live in it, as `serve` (calls), `work` (relay, consumer, timers,
effects) or both. An `Assembly` is one service in it: its server always; a database with outbox, relay and retention where
its block names postgres, a Redis where it names redis, a consumer where it consumes, and where it publishes without a
database the `publisher` that it asks for. Nothing else is built or configured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jwt
from google.protobuf.descriptor import ServiceDescriptor

from services.chassis import clock, credentials, database, kafka, loops, process, redis_store, replica, retention
from services.chassis.credentials import Credential
from services.chassis.events import at_least_once, consumer, parked, publisher, reader
from services.chassis.kafka import security
from services.chassis.outbox import outbox, relay
from services.chassis.rpc import certificates, client, identity, page_tokens, revocations, server
from services.chassis.settings import SettingsError, check, env, read

SERVE = "serve"
WORK = "work"
ALL = "all"
# How often a relay looks by itself for what there is to publish, in seconds: where others write it too, and where nobody does.
AMONG_OTHERS_S = 0.25
ALONE_S = 1.0
POSTGRES = "postgres"
REDIS = "redis"


@dataclass(frozen=True, slots=True)
class Settings:
    """What every service reads from the environment."""

    listen: str = env("{SERVICE}_LISTEN")
    mesh_key: Credential = env("MESH_KEY", default=credentials.NONE, secret=True)  # noqa: RUF009 - no value is made here: a field is
    mesh_tls_dir: str = env("MESH_TLS_DIR", default="")
    token_issuer: str = env("TOKEN_ISSUER", default="https://souk.local")
    token_audience: str = env("TOKEN_AUDIENCE", default="souk")
    traces: str = env("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
    reflection: bool = env("RPC_REFLECTION", default=False)
    # Accept page tokens without a signature, as releases before signatures made them: for the rollout of the first one with.
    page_tokens_unsigned: bool = env("PAGE_TOKENS_UNSIGNED", default=False)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """What a service reads that has postgres among its stores."""

    url: Credential = env("{SERVICE}_DATABASE_URL", secret=True)  # noqa: RUF009 - no value is made here: a field is
    pool: int = env("{SERVICE}_DATABASE_POOL", default=8)
    # A copy of it for reads that may be a moment old. What it does not say (user, password, name) is as in the URL above.
    replica: Credential = env("{SERVICE}_REPLICA_URL", default=credentials.NONE, secret=True)  # noqa: RUF009 - likewise


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """What a service reads that has redis among its stores. timeout_s is for connecting and for each command, in seconds."""

    url: Credential = env("REDIS_URL", secret=True)  # noqa: RUF009 - no value is made here: a field is
    timeout_s: float = env("REDIS_TIMEOUT_S", default=1.0)


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """What a service reads, beside how to reach the brokers, that publishes or consumes."""

    consumer_batch: int = env("CONSUMER_BATCH", default=500)
    relay_batch: int = env("RELAY_BATCH", default=1000)
    # After a small batch the next one may grow for so long: at half of what a machine can do, this is a third of the delay.
    gather_s: float = env("GATHER_S", default=0.03)


# All that services read beside their own settings and how to reach the brokers.
SETTINGS = (Settings, DatabaseSettings, RedisSettings, TopicSettings)


class Block(Protocol):
    """A service's block of the registry."""

    @property
    def stores(self) -> Sequence[str]:
        """Where it keeps data."""

    @property
    def publishes(self) -> Sequence[str]:
        """The topics it writes."""

    @property
    def consumes(self) -> Sequence[str]:
        """The topics it reads."""

    @property
    def roles(self) -> Sequence[str]:
        """What its processes do."""


@dataclass(frozen=True, slots=True)
class _Address:
    """Where another service is."""

    address: str = env("{SERVICE}_ADDR")


@dataclass(frozen=True, slots=True)
class Host:
    """The process that services live in: its environment, its role, its name, its clock, and the registry's blocks by service."""

    environ: Mapping[str, str]
    role: str
    owner: str
    now: clock.Clock
    blocks: Mapping[str, Block]


@dataclass(frozen=True, slots=True)
class Consuming:
    """What a service with a database consumes, exactly once: topics, and who handles what is in them.

    patience_s is how long a small batch may gather, in seconds: more than for others where no order and nobody waits for it.
    most_at_once is how many records such a batch may have, where more are to share a transaction than elsewhere.
    """

    topics: Sequence[str]
    subscribers: reader.Subscribers
    patience_s: float = 0.0
    most_at_once: int = 0


@dataclass(frozen=True, slots=True)
class ConsumingAtLeastOnce:
    """What a service without a database consumes: topics, the idempotent handlers of what is in them, and its patience."""

    topics: Sequence[str]
    subscribers: at_least_once.Subscribers
    patience_s: float = 0.0


class Assembly:
    """One service in its host. `publications` is the table in its `events.py`, if it publishes.

    Raises SettingsError with everything that is missing or malformed in the environment.
    """

    def __init__(self, service: str, host: Host, publications: outbox.Publications | None = None) -> None:
        self.service = service
        self.host = host
        self.block = host.blocks[service]
        self._speaks = bool(self.block.publishes or self.block.consumes)
        check(host.environ, *self._settings_kinds(), service=service)
        self.settings = read(Settings, host.environ, service=service)
        self.mesh = _mesh(self.settings, service)
        self._db = self._database(publications or {}) if POSTGRES in self.block.stores else None
        self._replica: database.Database | None = None
        self._redis = self._redis_store() if REDIS in self.block.stores else None
        self._topics = read(TopicSettings, host.environ)
        self._peers: list[client.Peer] = []
        self._publishing: kafka.Producer | None = None
        self._relay_loop: loops.Loop | None = None

    @property
    def db(self) -> database.Database:
        """Its own database. Raises SettingsError when its block does not name postgres."""
        if self._db is None:
            raise self._lacks(POSTGRES)
        return self._db

    @property
    def database_url(self) -> Credential:
        """Where its own database is, with the credentials. Raises SettingsError when its block does not name postgres."""
        if POSTGRES not in self.block.stores:
            raise self._lacks(POSTGRES)
        return read(DatabaseSettings, self.host.environ, service=self.service).url

    @property
    def replica(self) -> database.Database | None:
        """A copy of its database, if there is one, for a service that asks. Raises SettingsError as `db` does."""
        if self._db is None:
            raise self._lacks(POSTGRES)
        chosen = read(DatabaseSettings, self.host.environ, service=self.service)
        if chosen.replica and self._replica is None:
            self._replica = replica.opened(chosen.url, chosen.replica, pool_size=chosen.pool)
        return self._replica

    @property
    def page_tokens(self) -> page_tokens.PageTokens:
        """Signs the page tokens of its lists, by keys in its own database. Raises SettingsError without postgres."""
        return page_tokens.PageTokens(self.db, unsigned=self.settings.page_tokens_unsigned)

    @property
    def redis(self) -> redis_store.RedisStore:
        """Its own part of Redis. Raises SettingsError when its block does not name redis."""
        if self._redis is None:
            raise self._lacks(REDIS)
        return self._redis

    @property
    def redis_url(self) -> Credential:
        """Where its Redis is, for a cache in front of its database. Raises SettingsError when its block does not name redis."""
        if REDIS not in self.block.stores:
            raise self._lacks(REDIS)
        return self._redis_settings.url

    def _lacks(self, store: str) -> SettingsError:
        return SettingsError(f"{self.service} uses {store}, which its block in the registry does not name")

    def _settings_kinds(self) -> list[type]:
        kinds: list[type] = [Settings]
        kinds += [DatabaseSettings] if POSTGRES in self.block.stores else []
        kinds += [RedisSettings] if REDIS in self.block.stores else []
        return kinds + ([security.Settings, TopicSettings] if self._speaks else [])

    def _database(self, publications: outbox.Publications) -> database.Database:
        chosen = read(DatabaseSettings, self.host.environ, service=self.service)
        writer = outbox.Outbox(publications, self.host.now, self._wake_relay)
        return database.Database(chosen.url, writer, pool_size=chosen.pool)

    @property
    def _redis_settings(self) -> RedisSettings:
        return read(RedisSettings, self.host.environ, service=self.service)

    def _redis_store(self) -> redis_store.RedisStore:
        chosen = self._redis_settings
        return redis_store.RedisStore(chosen.url, self.service, timeout_s=chosen.timeout_s)

    def _wake_relay(self) -> None:
        if self._relay_loop:
            self._relay_loop.wake()

    def peer(self, name: str, descriptor: ServiceDescriptor) -> client.Peer:
        """Another service of the mesh, at the address in `<NAME>_ADDR`. Raises SettingsError without one."""
        address = read(_Address, self.host.environ, service=name).address
        if not address:
            raise SettingsError(f"{name.upper()}_ADDR is empty")
        made = client.Peer(address, descriptor, self.mesh, traced=bool(self.settings.traces))
        self._peers.append(made)
        return made

    def publisher(self, publications: outbox.Publications) -> publisher.Publisher:
        """Publishes its facts without an outbox; `publications` is the table in its `events.py`.

        Raises SettingsError when it has a database, whose outbox it would pass by, or when its block names other topics.
        """
        topics = {publication.topic for publication in publications.values()}
        if self._db or topics != set(self.block.publishes):
            said = f"its block in the registry says {sorted(self.block.publishes)}, in {', '.join(self.block.stores)}"
            raise SettingsError(f"{self.service} publishes {sorted(topics)} without an outbox, {said}")
        # Not the one of its consumer: a producer is for one task at a time.
        self._publishing = kafka.Producer(self._brokers())
        return publisher.Publisher(self._publishing, publications, service=self.service)

    def gate(self, authority: identity.Authority, revoked: revocations.Revocations) -> identity.Gate:
        """Lets calls in by the authority's keys, unless their tokens were revoked."""
        issuer = identity.Issuer(self.settings.token_issuer, self.settings.token_audience)
        return identity.Gate(identity.Tokens(issuer, authority.keys, revoked), self.mesh)

    def parts(
        self,
        servicer: server.Servicer,
        authority: identity.Authority,
        *,
        consuming: Consuming | ConsumingAtLeastOnce | None = None,
        serving: Sequence[process.Part] = (),
        working: Sequence[process.Part] = (),
    ) -> list[process.Part]:
        """The parts of this service that its host's role asks for, in the order they start.

        `serving` and `working` are its own, beside its calls and beside its consumer. Raises SettingsError when it does
        something that its block of the registry does not say.
        """
        if problems := list(self._contradictions(consuming, working)):
            raise SettingsError("\n".join(problems))
        stores = [store for store in (self._db, self._replica, self._redis) if store]
        parts: list[process.Part] = [*stores, *self._peers]
        if self.host.role in (WORK, ALL):
            parts += self._workers(consuming, working)
        if self.host.role in (SERVE, ALL):
            extras = server.Extras(traced=bool(self.settings.traces), reflected=self.settings.reflection)
            revoked = revocations.Revocations(self.service, authority.revoked)
            calls = server.Server(self.service, self.settings.listen, self.gate(authority, revoked), servicer, extras)
            parts += [revoked, *serving, calls]
        return parts

    def _contradictions(
        self, consuming: Consuming | ConsumingAtLeastOnce | None, working: Sequence[process.Part]
    ) -> Iterator[str]:
        """What this service does and its block does not say, or the other way round."""
        topics = set(consuming.topics) if consuming else set()
        if topics != set(self.block.consumes):
            yield f"{self.service} consumes {sorted(topics)}, its block in the registry says {sorted(self.block.consumes)}"
        if self.block.publishes and self._db is None and self._publishing is None:
            yield f"{self.service} publishes, which takes an outbox or a publisher, and has neither"
        if working and WORK not in self.block.roles:
            yield f"{self.service} has work of its own to do, and its block in the registry gives it no role {WORK}"

    def _workers(
        self, consuming: Consuming | ConsumingAtLeastOnce | None, working: Sequence[process.Part]
    ) -> list[process.Part]:
        """What works without being called: a consumer is last, so that it ends first."""
        producer = kafka.Producer(self._brokers()) if self._speaks else None
        parts: list[process.Part] = [part for part in (producer, self._publishing) if part]
        if self._db:
            parts += self._machinery(self._db, producer)
        if isinstance(consuming, Consuming):
            table = reader.Reader(consuming.subscribers)
            again = parked.Retrier(self.db, table, service=self.service, now=self.host.now)
            parts.append(loops.Loop(f"{self.service}-parked", again.work, loops.Pace(1.0, 2.0)))
        consumers = [self._consumer(consuming, producer)] if consuming and producer else []
        return [*parts, *working, *consumers]

    def _machinery(self, db: database.Database, producer: kafka.Producer | None) -> list[process.Part]:
        """What looks after the machinery's own tables."""
        keeper = retention.Retention(db, self.host.now)
        gauges = retention.Gauges(db, self.service)
        relaying = [self._relay(db, producer)] if producer else []
        return [
            *relaying,
            loops.Loop(f"{self.service}-retention", keeper.work, loops.Pace(600)),
            loops.Loop(f"{self.service}-gauges", gauges.work, loops.Pace(10)),
        ]

    def _relay(self, db: database.Database, producer: kafka.Producer) -> loops.Loop:
        owner, chosen = self.host.owner, self._topics
        bringer = relay.Relay(db, producer, service=self.service, owner=owner, batch=chosen.relay_batch)

        def pace() -> loops.Pace:
            # Writers in this process wake it at commit: it looks by itself for what others write, if there are others.
            most = ALONE_S if self.host.role == ALL and bringer.alone else AMONG_OTHERS_S
            return loops.Pace(0.05, most, gather_s=chosen.gather_s)

        self._relay_loop = loops.Loop(f"{self.service}-relay", bringer.work, pace, leave=bringer.leave)
        return self._relay_loop

    def _consumer(self, consuming: Consuming | ConsumingAtLeastOnce, producer: kafka.Producer) -> kafka.Consumer:
        chosen, service, now = self._topics, self.service, self.host.now
        deliver: kafka.Deliver
        most_at_once = 0
        if isinstance(consuming, Consuming):
            most_at_once = consuming.most_at_once
            table = reader.Reader(consuming.subscribers)
            deliver = consumer.Deliverer(self.db, table, service=service, now=now).deliver
        else:
            deliver = at_least_once.Deliverer(consuming.subscribers, producer, service=service, now=now).deliver
        # Without gathering, as a measurement has it, nobody is patient.
        gather_s = max(chosen.gather_s, consuming.patience_s) if chosen.gather_s else 0.0
        # Nor does anybody take more at once than a measurement of small batches has it.
        batch = (
            max(most_at_once, chosen.consumer_batch) if chosen.consumer_batch >= loops.FEW else chosen.consumer_batch
        )
        subscription = kafka.Subscription(
            consuming.topics,
            service,
            batch,
            gather_s,
            types=frozenset(kind.DESCRIPTOR.full_name for kind in consuming.subscribers),
        )
        return kafka.Consumer(self._brokers(), subscription, deliver)

    def _brokers(self) -> kafka.Connection:
        return read(security.Settings, self.host.environ, service=self.service).connection(self.service)


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
        return identity.Mesh(credentials.NONE, service, certificates.Certificates(own))
    except (OSError, ValueError) as error:
        raise SettingsError(f"MESH_TLS_DIR: {error}") from error


def migrations(service: str) -> Path:
    """The folder of a service's own migrations."""
    return Path(__file__).resolve().parent.parent / service / "migrations"


def keys_of(jwks: Sequence[Mapping[str, str]]) -> dict[str, jwt.PyJWK]:
    """Public keys by key id, out of the members of a JWK set."""
    return {key["kid"]: jwt.PyJWK(dict(key), algorithm=identity.ALGORITHM) for key in jwks}
