"""Carts in Redis: one value for each, replaced only if its version is still the one that was read.

A cart is one key, so a change of it is one atomic script, also on a Redis that is sharded.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.cart import domain
from services.chassis import money, redis_store

# Replaces the value if its version is as expected, and says whether it did. The version stands beside the value, so
# that the script needs to know nothing of how a cart is written.
_REPLACE: Final = """
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'cart', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


async def load(redis: redis_store.RedisStore, place: domain.Place) -> domain.Cart | None:
    """The cart, or None. Raises TransientError when Redis is unavailable: never an empty cart instead."""
    async with redis.commands() as commands:
        found: list[Any] = await commands.hmget(redis.key(place.kind, place.id), ["version", "cart"])
    version, written = found
    return _read(json.loads(written), int(version)) if version and written else None


async def replace(redis: redis_store.RedisStore, place: domain.Place, cart: domain.Cart, *, lifetime_s: int) -> bool:
    """Keep the cart, with the version after its own, if nobody changed it since it was read; says whether it was kept.

    Raises TransientError when Redis is unavailable: it may have been kept all the same.
    """
    arguments: list[Any] = [cart.version, cart.version + 1, json.dumps(_written(cart)), lifetime_s]
    async with redis.commands() as commands:
        done: int = await commands.eval(_REPLACE, 1, redis.key(place.kind, place.id), *arguments)
    return done == 1


async def delete(redis: redis_store.RedisStore, place: domain.Place) -> None:
    """Forget the cart; one that is not there stays so. Raises TransientError when Redis is unavailable."""
    async with redis.commands() as commands:
        await commands.delete(redis.key(place.kind, place.id))


def _written(cart: domain.Cart) -> Mapping[str, Any]:
    return {
        "lines": [_written_line(line) for line in cart.lines],
        "saved": [_written_line(line) for line in cart.saved],
        "applied": cart.applied,
        "merging_into": cart.merging_into,
    }


def _read(written: Mapping[str, Any], version: int) -> domain.Cart:
    return domain.Cart(
        lines=tuple(_read_line(*line) for line in written["lines"]),
        version=version,
        saved=tuple(_read_line(*line) for line in written["saved"]),
        applied=tuple(written["applied"]),
        merging_into=written["merging_into"],
    )


def _written_line(line: domain.Line) -> list[Any]:
    price = [line.price.currency, line.price.amount] if line.price else []
    return [line.sku, line.quantity, line.added.timestamp(), *price]


def _read_line(sku: str, units: int, added: float, *price: Any) -> domain.Line:
    return domain.Line(sku, units, datetime.fromtimestamp(added, UTC), money.Money(*price) if price else None)
