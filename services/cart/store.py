"""Carts in Redis: one value for each, replaced only if its revision is still the one that was read.

A cart is one key, so a change of it is one atomic script, also on a Redis that is sharded. Another key has the users whose
carts are to be looked at, by when: `reminders`, a sorted set. A user is noted there before the cart is written, so that no
cart is forgotten; the cart alone says whether it was left.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.cart import domain
from services.chassis import money, redis_store

# Replaces the value if its revision is as expected, and says whether it did. The revision stands beside the value, so
# that the script needs to know nothing of how a cart is written.
_REPLACE: Final = """
local revision = redis.call('HGET', KEYS[1], 'revision') or '0'
if revision ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'cart', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


# Takes those who are due, and makes them due again when the lease runs out. Scores are milliseconds since 1970.
_CLAIM: Final = """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], member) end
return due
"""

# Removes those whose lease is still the one that was taken (ARGV[1]), or notes when to look at them again.
_SETTLE: Final = """
for place = 2, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[place])
  if score and tonumber(score) == tonumber(ARGV[1]) then
    if ARGV[place + 1] == '' then redis.call('ZREM', KEYS[1], ARGV[place])
    else redis.call('ZADD', KEYS[1], ARGV[place + 1], ARGV[place]) end
  end
end
return 1
"""

# What a cart consists of in Redis.
_FIELDS: Final = ["revision", "cart"]


async def load(redis: redis_store.RedisStore, place: domain.Place) -> domain.Cart | None:
    """The cart, or None. Raises TransientError when Redis is unavailable: never an empty cart instead."""
    async with redis.commands() as commands:
        return _found(await commands.hmget(_key(redis, place), _FIELDS))


async def load_all(redis: redis_store.RedisStore, places: Sequence[domain.Place]) -> Mapping[domain.Place, domain.Cart]:
    """The carts that exist at these places, in one round trip. Raises TransientError as `load` does.

    A command for each key rather than a script with all keys: a Redis that is sharded takes no script over several shards.
    """
    async with redis.commands() as commands:
        asked = commands.pipeline(transaction=False)
        for place in places:
            asked.hmget(_key(redis, place), _FIELDS)
        answers = await asked.execute()
    found = ((place, _found(answer)) for place, answer in zip(places, answers, strict=True))
    return {place: cart for place, cart in found if cart}


async def replace(
    redis: redis_store.RedisStore,
    place: domain.Place,
    cart: domain.Cart,
    *,
    lifetime_s: int,
    look_at: datetime | None = None,
) -> bool:
    """Keep the cart, as the revision after its own, if nobody changed it since it was read; says whether it was kept.

    look_at is when its user may have to be reminded of it. Raises TransientError when Redis is unavailable: it may have been
    kept all the same.
    """
    return place in await replace_all(redis, {place: cart}, lifetime_s=lifetime_s, look_at=look_at)


async def replace_all(
    redis: redis_store.RedisStore,
    carts: Mapping[domain.Place, domain.Cart],
    *,
    lifetime_s: int,
    look_at: datetime | None = None,
) -> set[domain.Place]:
    """Keep each of these carts as `replace` does, in one round trip: the places of those that were kept.

    Raises TransientError when Redis is unavailable: some may have been kept all the same.
    """
    async with redis.commands() as commands:
        asked = commands.pipeline(transaction=False)
        if look_at:
            asked.zadd(_reminders(redis), {place.id: _milliseconds(look_at) for place in carts})
        for place, cart in carts.items():
            arguments: list[Any] = [cart.revision, cart.revision + 1, json.dumps(_written(cart)), lifetime_s]
            asked.eval(_REPLACE, 1, _key(redis, place), *arguments)
        answers = await asked.execute()
    return {place for place, done in zip(carts, answers[-len(carts) :], strict=True) if done == 1}


async def delete(redis: redis_store.RedisStore, place: domain.Place) -> None:
    """Forget the cart; one that is not there stays so. Raises TransientError when Redis is unavailable."""
    async with redis.commands() as commands:
        await commands.delete(_key(redis, place))


@dataclass(frozen=True, slots=True)
class Claimed:
    """Users whose carts this process alone looks at until a moment."""

    user_ids: tuple[str, ...]
    until: datetime


async def claim_reminders(redis: redis_store.RedisStore, *, now: datetime, lease: timedelta, most: int) -> Claimed:
    """Up to so many users whose carts are to be looked at now. Who dies with them leaves them to others, after the lease.

    Raises TransientError when Redis is unavailable: they may have been claimed all the same.
    """
    until = now + lease
    async with redis.commands() as commands:
        arguments: list[Any] = [_milliseconds(now), _milliseconds(until), most]
        found: Any = await commands.eval(_CLAIM, 1, _reminders(redis), *arguments)
    return Claimed(tuple(user_id.decode() for user_id in found), until)


async def settle_reminders(
    redis: redis_store.RedisStore, claimed: Claimed, looks: Mapping[str, datetime | None]
) -> None:
    """Note when to look at the carts of these users again (None: not until they are touched).

    Whoever touched their cart meanwhile, or was claimed by another, is noted by that. Raises TransientError when Redis is
    unavailable.
    """
    pairs = [(user_id, _milliseconds(look) if look else "") for user_id, look in looks.items()]
    arguments: list[Any] = [_milliseconds(claimed.until), *(item for pair in pairs for item in pair)]
    async with redis.commands() as commands:
        settled: Any = commands.eval(_SETTLE, 1, _reminders(redis), *arguments)
        await settled


def _reminders(redis: redis_store.RedisStore) -> str:
    return redis.key("reminders")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _key(redis: redis_store.RedisStore, place: domain.Place) -> str:
    return redis.key(place.kind, place.id)


def _found(answer: Sequence[Any]) -> domain.Cart | None:
    revision, written = answer
    return _read(json.loads(written), int(revision)) if revision and written else None


def _written(cart: domain.Cart) -> Mapping[str, Any]:
    return {
        "lines": [_written_line(line) for line in cart.lines],
        "saved": [_written_line(line) for line in cart.saved],
        "applied": cart.applied,
        "merging_into": cart.merging_into,
        "version": cart.version,
        "origin": cart.origin,
        "checkouts": [_written_checkout(checkout) for checkout in cart.checkouts],
        "coupons": [_written_coupon(coupon) for coupon in cart.coupons],
        "touched": cart.touched.timestamp() if cart.touched else 0,
    }


def _read(written: Mapping[str, Any], revision: int) -> domain.Cart:
    return domain.Cart(
        lines=tuple(_read_line(*line) for line in written["lines"]),
        version=written["version"],
        saved=tuple(_read_line(*line) for line in written["saved"]),
        applied=tuple(written["applied"]),
        merging_into=written["merging_into"],
        origin=written["origin"],
        checkouts=tuple(_read_checkout(checkout) for checkout in written["checkouts"]),
        revision=revision,
        # Carts that were written before there were coupons have none.
        coupons=tuple(_read_coupon(*coupon) for coupon in written.get("coupons", ())),
        touched=_moment(written.get("touched", 0)),
    )


def _moment(timestamp: float) -> datetime | None:
    return datetime.fromtimestamp(timestamp, UTC) if timestamp else None


def _written_line(line: domain.Line) -> list[Any]:
    price = [line.price.currency, line.price.amount] if line.price else []
    return [line.sku, line.quantity, line.added.timestamp(), *price]


def _read_line(sku: str, units: int, added: float, *price: Any) -> domain.Line:
    return domain.Line(sku, units, datetime.fromtimestamp(added, UTC), money.Money(*price) if price else None)


def _written_coupon(coupon: domain.Coupon) -> list[Any]:
    return [coupon.code, coupon.added.timestamp()]


def _read_coupon(code: str, added: float) -> domain.Coupon:
    return domain.Coupon(code, datetime.fromtimestamp(added, UTC))


def _written_checkout(checkout: domain.Checkout) -> Mapping[str, Any]:
    order = checkout.order
    return {
        "version": checkout.version,
        "request_id": checkout.request_id,
        "lines": [_written_line(line) for line in checkout.lines],
        "time": checkout.time.timestamp(),
        "order": [order.id, order.total.currency, order.total.amount] if order else [],
        "fingerprint": checkout.fingerprint,
        "coupons": [_written_coupon(coupon) for coupon in checkout.coupons],
    }


def _read_checkout(written: Mapping[str, Any]) -> domain.Checkout:
    order_id, *total = written["order"] or [""]
    return domain.Checkout(
        version=written["version"],
        request_id=written["request_id"],
        lines=tuple(_read_line(*line) for line in written["lines"]),
        time=datetime.fromtimestamp(written["time"], UTC),
        order=domain.Order(order_id, money.Money(*total)) if order_id else None,
        fingerprint=written["fingerprint"],
        coupons=tuple(_read_coupon(*coupon) for coupon in written.get("coupons", ())),
    )
