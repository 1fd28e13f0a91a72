"""What is done with carts: load, decide, replace, and all of it again if somebody else was faster. Next: `store.py`."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from services.cart import domain, store
from services.cart.usecases import showing
from services.chassis import clock, errors, ids, redis_store

SERVICE = "cart"
# Of the writers that race for a cart one wins each round, so this many writers at once all succeed.
MOST_ROUNDS = 200
_CART_ID_BYTES = 32
# After these pauses, in seconds, an order whose outcome is unknown is asked for again: by the same request.
PAUSES_S = (0.1, 0.3)

Change = Callable[[domain.Cart], domain.Cart]


class Orders(Protocol):
    """Who makes orders."""

    async def place(self, checkout: domain.Checkout, terms: domain.Terms) -> domain.Order:
        """The order of this request for the user who calls, made now or before. Raises TransientError: it may be made."""

    async def past(self, order_id: str) -> domain.PastOrder:
        """An order that the user who calls may see. Raises ORDER_NOT_FOUND, or TransientError without an answer."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """After how many seconds without a change a cart expires, and a user's counts as abandoned."""

    user_s: int
    guest_s: int
    reminder_s: float


class Carts:
    """The use cases of carts."""

    def __init__(
        self,
        redis: redis_store.RedisStore,
        shelves: showing.Shelves,
        orders: Orders,
        *,
        lifetimes: Lifetimes,
        now: clock.Clock,
    ) -> None:
        self._redis = redis
        self._shelves = shelves
        self._orders = orders
        self._lifetimes = lifetimes
        self._now = now

    async def create(self) -> str:
        """The id of a new cart of a guest: whoever knows it may use the cart."""
        cart_id = secrets.token_urlsafe(_CART_ID_BYTES)
        await self._replace(domain.of_guest(cart_id), self._new())
        return cart_id

    async def get(self, place: domain.Place) -> domain.Cart:
        """The cart. Raises CART_NOT_FOUND for a guest's cart that does not exist or is being merged."""
        return await self._usable(place)

    async def add(self, place: domain.Place, sku: str, units: int, *, expected: int = 0) -> domain.Cart:
        """The cart with these units more.

        Raises SKU_UNKNOWN, CART_NOT_FOUND, CART_CHANGED, CART_FULL or CART_QUANTITY_TOO_LARGE.
        """
        line = domain.line_of(sku, units, await self._shelves.offers([sku]), now=self._now())
        return await self._change(place, lambda cart: domain.added(cart, line), expected)

    async def set_quantity(self, place: domain.Place, sku: str, units: int, *, expected: int = 0) -> domain.Cart:
        """The cart with this quantity of the SKU, 0 for none.

        Raises SKU_UNKNOWN, CART_NOT_FOUND, CART_CHANGED or CART_FULL.
        """
        offers, now = await self._shelves.offers([sku] if units else []), self._now()

        def change(cart: domain.Cart) -> domain.Cart:
            return domain.with_quantity(cart, domain.line_to_set(cart, sku, units, offers, now=now))

        return await self._change(place, change, expected)

    async def save(self, place: domain.Place, sku: str, *, expected: int = 0) -> domain.Cart:
        """The cart with a line moved to those for later.

        Raises CART_LINE_NOT_FOUND, CART_NOT_FOUND, CART_CHANGED, SAVED_FULL or CART_QUANTITY_TOO_LARGE.
        """
        return await self._change(place, lambda cart: domain.saved_for_later(cart, sku), expected)

    async def restore(self, place: domain.Place, sku: str, *, expected: int = 0) -> domain.Cart:
        """The cart with a line of those for later moved back.

        Raises CART_LINE_NOT_FOUND, CART_NOT_FOUND, CART_CHANGED, CART_FULL or CART_QUANTITY_TOO_LARGE.
        """
        return await self._change(place, lambda cart: domain.restored(cart, sku), expected)

    async def forget_saved(self, place: domain.Place, sku: str, *, expected: int = 0) -> domain.Cart:
        """The cart without what was saved of a SKU for later. Raises CART_NOT_FOUND, CART_CHANGED."""
        return await self._change(place, lambda cart: domain.without_saved(cart, sku), expected)

    async def add_coupon(self, place: domain.Place, code: str, *, expected: int = 0) -> domain.Cart:
        """The cart that keeps a coupon code. Raises CART_NOT_FOUND, CART_CHANGED or COUPONS_FULL."""
        now = self._now()
        return await self._change(place, lambda cart: domain.with_coupon(cart, code, now=now), expected)

    async def remove_coupon(self, place: domain.Place, code: str, *, expected: int = 0) -> domain.Cart:
        """The cart without a coupon code. Raises CART_NOT_FOUND, CART_CHANGED."""
        return await self._change(place, lambda cart: domain.without_coupon(cart, code), expected)

    async def show(
        self, cart: domain.Cart, place: domain.Place, destination: domain.Destination = domain.NOWHERE
    ) -> domain.Shown:
        """The cart with current prices, stock and totals, as far as they can be had."""
        return await self._shelves.show(cart, place, destination)

    async def merge(self, cart_id: str, user_id: str, *, expected: int = 0) -> domain.Cart:
        """The user's cart with what is in a guest's, which is deleted.

        Raises CART_NOT_FOUND, CART_CHANGED, CART_FULL, SAVED_FULL or COUPONS_FULL.

        The guest's cart is claimed for the user first, so that nothing is added to it meanwhile. If the process dies
        after any of the three writes, a repeated call completes the merge; the lines are added once.
        """
        own, place = domain.of_user(user_id), domain.of_guest(cart_id)
        found = await store.load(self._redis, place)
        if found:
            # What does not fit is refused before the guest's cart is claimed: the guest keeps it.
            domain.merged(await self._usable(own), found, cart_id, expected=expected)
        guest = await self._claimed(place, user_id)
        if guest is None:
            return await self._merged_before(own, cart_id)
        merged = await self._change(own, lambda cart: domain.merged(cart, guest, cart_id, expected=expected), 0)
        await store.delete(self._redis, place)
        return merged

    async def check_out(self, user_id: str, version: int, terms: domain.Terms) -> domain.Order:
        """The order of this version of the user's cart: made once, however often this is repeated.

        The request that asks for the order is written down first. Whoever dies after that, or gets no answer, repeats it.
        Raises CART_EMPTY, CART_CHANGED, CART_CHECKED_OUT, COUPONS_FULL and what the order service raises, or TransientError.
        """
        place = domain.of_user(user_id)
        cart = await self._change(place, lambda cart: domain.checking_out(cart, version, now=self._now()), 0)
        checkout = domain.checkout_of(cart, version)
        if checkout is None:
            raise domain.ChangedError(cart)
        if checkout.order:
            if checkout.fingerprint != terms.fingerprint:
                raise domain.ordered_otherwise(checkout.order.id)
            return checkout.order
        order = await self._ordered(checkout, terms)
        # The order is made, whether or not that can be written down: whoever repeats it gets it from the order service.
        with contextlib.suppress(errors.TransientError):
            await self._change(place, lambda cart: domain.checked_out(cart, version, order, terms), 0)
        return order

    async def _ordered(self, checkout: domain.Checkout, terms: domain.Terms) -> domain.Order:
        for pause_s in PAUSES_S:
            try:
                return await self._orders.place(checkout, terms)
            except errors.TransientError:
                await asyncio.sleep(pause_s)
        return await self._orders.place(checkout, terms)

    async def reorder(
        self, user_id: str, order_id: str, *, expected: int = 0
    ) -> tuple[domain.Cart, tuple[domain.LeftOut, ...]]:
        """The user's cart with at least what an order of theirs had, and what could not be put in.

        It is one write, whose repetition changes nothing: whoever got no answer calls again. Raises ORDER_NOT_FOUND,
        CART_CHANGED, or TransientError before anything is changed.
        """
        order = await self._orders.past(order_id)
        domain.require_own(order, user_id)
        offers, now = await self._shelves.offers([line.sku for line in order.lines]), self._now()
        if offers is None:
            raise errors.TransientError("catalog: without it nobody knows what is sold")

        def change(cart: domain.Cart) -> domain.Cart:
            return domain.reordered(cart, order, offers, now=now)

        cart = await self._change(domain.of_user(user_id), change, expected)
        return cart, domain.left_out(cart, order, offers)

    async def reopen(self, cancelled: Sequence[domain.Cancelled]) -> None:
        """Let carts be ordered again whose orders were cancelled. Repeating it changes nothing."""
        await self._change_all([(domain.of_user(order.user_id), partial(_reopened, order)) for order in cancelled])

    async def take_out(self, orders: Sequence[domain.Ordered]) -> None:
        """Take what was ordered out of the carts of those who ordered it. Repeating it changes nothing."""
        await self._change_all([(domain.of_user(order.user_id), partial(_without, order)) for order in orders])

    async def forget(self, user_ids: Sequence[str]) -> None:
        """Delete the carts of these users, whose accounts were erased. Repeating it changes nothing."""
        for user_id in user_ids:
            await store.delete(self._redis, domain.of_user(user_id))

    async def _merged_before(self, own: domain.Place, cart_id: str) -> domain.Cart:
        cart = await self._usable(own)
        if cart_id not in cart.applied:
            raise domain.no_cart()
        return cart

    async def _claimed(self, place: domain.Place, user_id: str) -> domain.Cart | None:
        """The guest's cart, claimed for this user; None if it is gone. Raises CART_NOT_FOUND if it is another's."""
        for _ in range(MOST_ROUNDS):
            guest = await store.load(self._redis, place)
            if guest is None:
                return None
            if guest.merging_into not in ("", user_id):
                raise domain.no_cart()
            claimed = replace(guest, merging_into=user_id)
            if claimed == guest or await self._replace(place, claimed):
                return claimed
        raise errors.overloaded()

    async def _change(self, place: domain.Place, change: Change, expected: int) -> domain.Cart:
        for _ in range(MOST_ROUNDS):
            cart = await self._usable(place)
            domain.require_version(cart, expected)
            changed = domain.counted(cart, change(cart))
            if changed == cart:
                return cart
            changed = replace(changed, touched=self._now())
            if await self._replace(place, changed):
                return replace(changed, revision=cart.revision + 1)
        raise errors.overloaded()

    async def _change_all(self, changes: Sequence[tuple[domain.Place, Change]]) -> None:
        """Make these changes to the users' carts that exist: two round trips for all, and nothing is written in vain."""
        for _ in range(MOST_ROUNDS):
            carts = await store.load_all(self._redis, list({place: None for place, _ in changes}))
            changed = dict(carts)
            for place, change in changes:
                if place in changed:
                    changed[place] = domain.counted(changed[place], change(changed[place]))
            differing = {place: cart for place, cart in changed.items() if cart != carts[place]}
            if not differing:
                return
            kept = await store.replace_all(self._redis, differing, lifetime_s=self._lifetimes.user_s)
            changes = [(place, change) for place, change in changes if place in differing.keys() - kept]
            if not changes:
                return
        raise errors.overloaded()

    async def _usable(self, place: domain.Place) -> domain.Cart:
        cart = await store.load(self._redis, place)
        if place.is_guest and (cart is None or cart.merging_into):
            raise domain.no_cart()
        return cart or self._new()

    def _new(self) -> domain.Cart:
        return domain.Cart(origin=ids.new_id(self._now()))

    async def _replace(self, place: domain.Place, cart: domain.Cart) -> bool:
        if place.is_guest:
            return await store.replace(self._redis, place, cart, lifetime_s=self._lifetimes.guest_s)
        look_at = domain.look_again(cart, timedelta(seconds=self._lifetimes.reminder_s))
        return await store.replace(self._redis, place, cart, lifetime_s=self._lifetimes.user_s, look_at=look_at)


def _without(order: domain.Ordered, cart: domain.Cart) -> domain.Cart:
    return domain.without_ordered(cart, order)


def _reopened(order: domain.Cancelled, cart: domain.Cart) -> domain.Cart:
    return domain.reopened(cart, order)
