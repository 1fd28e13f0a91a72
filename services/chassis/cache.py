"""A cache in front of a store: in this process for a moment, in Redis for longer. Without Redis it is slower, never wrong.

`forget`, called right after the commit that changes a value, invalidates it in Redis and in this process at once, and in
other processes as soon as Redis notifies them, or within `local_s` if it does not. A mark (tombstone) keeps slow readers from
writing back what they read before the change. A stale value can still be served, for at most `shared_s` + `local_s`, when the
process died or Redis was unavailable between commit and `forget`, or a reader took longer than MARK_S to write back.

What comes out of Redis is believed only when a process of the same service put it there: each value carries a MAC over its
key, its expiry and its content, made with a secret that Redis does not hold. What somebody else wrote, moved to another key
or put back after it expired is a miss, and so is whatever cannot be read.
"""

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from cachetools import TTLCache, cached
from prometheus_client import Counter
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from services.chassis import credentials, database, redis_connection, tasks, tracing

_LOG = logging.getLogger(__name__)

Value = TypeVar("Value")
# Gives the values that the store has of these keys, all in one go.
Load = Callable[[Sequence[str]], Awaitable[Mapping[str, Value]]]

READS = Counter("souk_cache_reads_total", "Values read, by where they were found.", ["cache", "found"])
AWAY = Counter("souk_cache_away_total", "Times that Redis did not answer a cache.")
TIMEOUT_S = 0.25
# After Redis did not answer it is not asked for so long.
PAUSE_S = 1.0
MARK_S = 10
# Where processes tell each other which keys to forget. Lines, because no key has a line break in it.
CHANNEL = "souk:forget"
LISTEN_S = 5.0
# For how long a secret is believed before its file is looked at again.
SECRET_S = 1.0
# Keys of one message that are dropped before others get their turn.
KEYS_AT_ONCE = 1_000
_MARK = b""


class Seal:
    """Authenticates values: each is its expiry (in seconds since the epoch), a MAC, and its content."""

    EXPIRY, MAC = 8, 16

    def __init__(self, secret: bytes | Callable[[], bytes]) -> None:
        self._secret = secret if callable(secret) else lambda: secret

    @classmethod
    def of_database(cls, url: str | credentials.Credential) -> "Seal":
        """The seal of all processes that have this database: its URL, with the password in it, is their secret.

        It follows a change of the password. Until all processes have seen the change, they miss what the others put there.
        """
        login = credentials.of(url)
        return cls(cached(TTLCache(1, SECRET_S))(lambda: _derived(login.current())))

    def close(self, key: str, value: bytes, seconds: int) -> bytes:
        """The value sealed for this key; it expires after so many seconds."""
        expiry = int(time.time() + seconds).to_bytes(self.EXPIRY, "big")
        return expiry + self._mac(key, expiry, value) + value

    def open(self, key: str, sealed: bytes) -> bytes | None:
        """The value, if it was sealed by us, for this key, and has not expired; else None."""
        head = self.EXPIRY + self.MAC
        expiry, mac, value = sealed[: self.EXPIRY], sealed[self.EXPIRY : head], sealed[head:]
        if not hmac.compare_digest(mac, self._mac(key, expiry, value)):
            return None
        return value if int.from_bytes(expiry, "big") > time.time() else None

    def _mac(self, key: str, expiry: bytes, value: bytes) -> bytes:
        name = key.encode()
        # The key's length comes first, so that a longer key and a shorter value do not have the same MAC.
        said = len(name).to_bytes(4, "big") + name + expiry + value
        return hashlib.blake2b(said, key=self._secret(), digest_size=self.MAC).digest()


def _derived(url: str) -> bytes:
    return hashlib.blake2b(url.encode(), digest_size=32, person=b"souk-cache").digest()


class Sharing(Protocol):
    """Where processes share values, or do not."""

    def on_forget(self, prefix: str, drop: Callable[[str], None]) -> None:
        """Call this with what follows the prefix whenever somebody forgets such a key."""

    async def get(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """The value of each key, or None."""

    async def put(self, values: Mapping[str, bytes], seconds: int, *, replace: bool = False) -> None:
        """Keep values whose keys have none, and were not forgotten just now; or, to replace them, whatever is there."""

    async def forget(self, keys: Iterable[str]) -> None:
        """Drop the values of these keys, and take no other for a moment."""


class Unshared:
    """Nowhere: for a service without a store, each of whose processes keeps values for a moment and nobody for longer."""

    def on_forget(self, prefix: str, drop: Callable[[str], None]) -> None:
        """Nothing: nobody tells."""

    async def get(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Nothing is found."""
        return [None] * len(keys)

    async def put(self, values: Mapping[str, bytes], seconds: int, *, replace: bool = False) -> None:
        """Nothing is kept."""

    async def forget(self, keys: Iterable[str]) -> None:
        """Nothing is there to be forgotten."""


class Shared:
    """The Redis that processes share. Whatever goes wrong with it is a miss."""

    def __init__(self, url: str | credentials.Credential, seal: Seal) -> None:
        self._seal = seal
        self._login = redis_connection.Login(url)
        self._redis = self._login.client(TIMEOUT_S)
        self._paused_until = 0.0
        self._drops: list[tuple[str, Callable[[str], None]]] = []
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen for what others forget. It connects in the background."""
        self._listening = tasks.spawn(self._listen(), name="cache-forget")

    async def stop(self) -> None:
        """Disconnect."""
        if self._listening:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await self._redis.aclose()

    def on_forget(self, prefix: str, drop: Callable[[str], None]) -> None:
        """Call this with what follows the prefix whenever somebody forgets such a key."""
        self._drops.append((prefix, drop))

    async def get(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """The value of each key, or None."""
        found: list[bytes | None] = await self._tried(lambda: self._redis.mget(keys)) or [None] * len(keys)
        return [self._seal.open(key, data) if data else None for key, data in zip(keys, found, strict=True)]

    async def put(self, values: Mapping[str, bytes], seconds: int, *, replace: bool = False) -> None:
        """Keep values whose keys have none, and were not forgotten just now; or, to replace them, whatever is there."""
        pipeline = self._redis.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(key, self._seal.close(key, value, seconds), ex=seconds, nx=not replace)
        await self._tried(pipeline.execute)

    async def forget(self, keys: Iterable[str]) -> None:
        """Drop the values of these keys, and take no other for a moment."""
        pipeline = self._redis.pipeline(transaction=False)
        forgotten = list(keys)
        for key in forgotten:
            pipeline.set(key, _MARK, ex=MARK_S)
        pipeline.publish(CHANNEL, "\n".join(forgotten))
        await self._tried(pipeline.execute)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    await self._hear(channel)
            except (RedisError, OSError) as error:
                self._login.note(error)
                await asyncio.sleep(PAUSE_S)
            except Exception:  # noqa: BLE001 - it is logged, and the listener outlives every message
                # Without it this process would go on with what others have forgotten.
                _LOG.exception("listening for forgotten keys failed; it starts again")
                await asyncio.sleep(PAUSE_S)

    async def _hear(self, channel: PubSub) -> None:
        while True:
            message = await channel.get_message(timeout=LISTEN_S)
            if message and isinstance(message["data"], bytes):
                await self._forgotten(message["data"].decode(errors="replace").split("\n"))

    async def _forgotten(self, keys: Sequence[str]) -> None:
        for number, key in enumerate(keys, 1):
            for prefix, drop in self._drops:
                if key.startswith(prefix):
                    drop(key.removeprefix(prefix))
            if number % KEYS_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _tried(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        try:
            if time.monotonic() >= self._paused_until:
                return await ask()
        except Exception as error:  # noqa: BLE001 - Redis, or who pretends to be it, answers what it likes
            AWAY.inc()
            self._login.note(error)
            self._paused_until = time.monotonic() + PAUSE_S
            _LOG.warning("cache goes on without Redis", extra={"cause": repr(error)})
        return None


@dataclass(frozen=True, slots=True)
class Packing(Generic[Value]):
    """One kind of value: how it becomes bytes and back, and for how many seconds it is kept in Redis and here.

    name keeps its keys apart from others' and labels its metrics. unpack raises for bytes that code of another age has
    packed: whatever it raises is a miss.
    """

    name: str
    pack: Callable[[Value], bytes]
    unpack: Callable[[bytes], Value]
    shared_s: int = 60
    local_s: float = 1.0
    local_size: int = 10_000


def unpacked(name: str, *, local_s: float, local_size: int) -> Packing[Any]:
    """A kind of value that is kept in this process only, and so is never bytes."""
    return Packing(name, lambda _: b"", lambda _: None, local_s=local_s, local_size=local_size)


class Cache(Generic[Value]):
    """The values of one kind."""

    def __init__(self, shared: Sharing, packing: Packing[Value]) -> None:
        self._shared = shared
        self._packing = packing
        self._local: TTLCache[str, Value] = TTLCache(packing.local_size, packing.local_s)
        self._flights: dict[str, asyncio.Task[dict[str, Value]]] = {}
        shared.on_forget(f"{packing.name}:", self._drop)

    async def read(self, keys: Iterable[str], load: Load[Value]) -> dict[str, Value]:
        """The values of these keys, without those that the store does not have. Raises what `load` raises.

        A key that several callers want at the same time is fetched once.
        """
        database.require_no_transaction(f"the cache {self._packing.name}")
        wanted = dict.fromkeys(keys)
        found = {key: value for key in wanted if (value := self._local.get(key)) is not None}
        self._count("local", len(found))
        missing = [key for key in wanted if key not in found]
        new = [key for key in missing if key not in self._flights]
        if new:
            flight = tasks.spawn(self._fly(new, load, tracing.traceparent()), name="cache-fetch")
            self._flights |= dict.fromkeys(new, flight)
            flight.add_done_callback(lambda landed: self._land(new, landed))
        for flight in {self._flights[key] for key in missing}:
            # A caller that gives up must not take the value from those who wait with it.
            fetched = await asyncio.shield(flight)
            found |= {key: fetched[key] for key in missing if key in fetched}
        return found

    async def forget(self, keys: Sequence[str]) -> None:
        """What these keys stand for was changed: call it after the commit."""
        database.require_no_transaction(f"the cache {self._packing.name}")
        await self._shared.forget(self._shared_keys(keys))
        for key in keys:
            self._drop(key)

    def _drop(self, key: str) -> None:
        self._flights.pop(key, None)
        self._local.pop(key, None)

    async def _fly(self, keys: Sequence[str], load: Load[Value], parent: str) -> dict[str, Value]:
        """Fetch for whoever wants it, in a span of the one who asked first."""
        with tracing.continued("fetch", [parent]):
            return await self._fetch(keys, load)

    async def _fetch(self, keys: Sequence[str], load: Load[Value]) -> dict[str, Value]:
        packed = await self._shared.get(self._shared_keys(keys))
        found = {
            key: value for key, data in zip(keys, packed, strict=True) if (value := self._unpacked(data)) is not None
        }
        self._count("shared", len(found))
        missing = [key for key in keys if key not in found]
        if missing:
            loaded = await load(missing)
            self._count("store", len(loaded))
            packed_now = [self._packing.pack(value) for value in loaded.values()]
            await self._shared.put(
                dict(zip(self._shared_keys(list(loaded)), packed_now, strict=True)), self._packing.shared_s
            )
            found |= loaded
        return found

    def _unpacked(self, data: bytes | None) -> Value | None:
        try:
            return self._packing.unpack(data) if data else None
        except Exception:  # noqa: BLE001 - code of another age may have packed anything
            return None

    def _shared_keys(self, keys: Sequence[str]) -> list[str]:
        return [f"{self._packing.name}:{key}" for key in keys]

    def _count(self, found: str, values: int) -> None:
        READS.labels(self._packing.name, found).inc(values)

    def _land(self, keys: Sequence[str], flight: asyncio.Task[dict[str, Value]]) -> None:
        """Keep what was fetched here, except keys that were forgotten while it was under way."""
        fetched = {} if flight.cancelled() or flight.exception() else flight.result()
        for key in keys:
            if self._flights.get(key) is flight:
                del self._flights[key]
                if key in fetched:
                    self._local[key] = fetched[key]
