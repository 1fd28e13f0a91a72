"""The calls of cart: parse, call the use case, render. Next stop: `usecases.py`."""

import contextlib
from collections.abc import Awaitable, Iterator
from typing import Any, Protocol

from services.cart import domain, messages, usecases
from services.chassis.rpc import identity, server
from souk.cart.v1 import cart_pb2, cart_service_pb2, cart_service_pb2_grpc

DESCRIPTOR = cart_service_pb2.DESCRIPTOR.services_by_name["CartService"]


class _Moved(Protocol):
    """A request that moves a line."""

    sku: str
    expected_version: int


class _Move(Protocol):
    """A use case that moves a line."""

    def __call__(self, place: domain.Place, sku: str, *, expected: int) -> Awaitable[domain.Cart]: ...


class _Coupon(Protocol):
    """A request about a coupon code."""

    code: str
    expected_version: int


class _CouponVerb(Protocol):
    """A use case of coupon codes."""

    def __call__(self, place: domain.Place, code: str, *, expected: int) -> Awaitable[domain.Cart]: ...


class CartServicer(cart_service_pb2_grpc.CartServiceServicer):
    """`souk.cart.v1.CartService`; what each method promises stands in the contract."""

    def __init__(self, carts: usecases.Carts) -> None:
        self._carts = carts

    async def GetCart(self, request: cart_service_pb2.GetCartRequest, _: Any) -> cart_pb2.Cart:
        return await self._get(_own(), messages.destination(request))

    async def AddCartItem(self, request: cart_service_pb2.AddCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._add(_own(), request)

    async def SetCartItem(self, request: cart_service_pb2.SetCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._set(_own(), request)

    async def SaveCartItem(self, request: cart_service_pb2.SaveCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._move(self._carts.save, _own(), request)

    async def RestoreCartItem(self, request: cart_service_pb2.RestoreCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._move(self._carts.restore, _own(), request)

    async def ForgetSavedItem(self, request: cart_service_pb2.ForgetSavedItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._move(self._carts.forget_saved, _own(), request)

    async def AddCartCoupon(self, request: cart_service_pb2.AddCartCouponRequest, _: Any) -> cart_pb2.Cart:
        return await self._coupon(self._carts.add_coupon, _own(), request)

    async def RemoveCartCoupon(self, request: cart_service_pb2.RemoveCartCouponRequest, _: Any) -> cart_pb2.Cart:
        return await self._coupon(self._carts.remove_coupon, _own(), request)

    async def MergeCart(self, request: cart_service_pb2.MergeCartRequest, _: Any) -> cart_pb2.Cart:
        own = _own()
        merging = self._carts.merge(request.cart_id, own.id, expected=request.expected_version)
        return await self._changed(own, merging)

    async def CheckoutCart(
        self, request: cart_service_pb2.CheckoutCartRequest, _: Any
    ) -> cart_service_pb2.CheckoutCartResponse:
        own, terms = _own(), messages.terms(request)
        with _carrying_the_cart(own):
            return messages.of_order(await self._carts.check_out(own.id, request.expected_version, terms))

    async def Reorder(self, request: cart_service_pb2.ReorderRequest, _: Any) -> cart_service_pb2.ReorderResponse:
        own = _own()
        with _carrying_the_cart(own):
            cart, left_out = await self._carts.reorder(own.id, request.id.lower(), expected=request.expected_version)
        return messages.of_reordered(await self._shown(own, cart), left_out)

    async def CreateGuestCart(
        self,
        request: cart_service_pb2.CreateGuestCartRequest,  # noqa: ARG002 - it says nothing
        _: Any,
    ) -> cart_pb2.Cart:
        return await self._get(domain.of_guest(await self._carts.create()))

    async def GetGuestCart(self, request: cart_service_pb2.GetGuestCartRequest, _: Any) -> cart_pb2.Cart:
        return await self._get(domain.of_guest(request.cart_id), messages.destination(request))

    async def AddGuestCartItem(self, request: cart_service_pb2.AddGuestCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._add(domain.of_guest(request.cart_id), request)

    async def SetGuestCartItem(self, request: cart_service_pb2.SetGuestCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._set(domain.of_guest(request.cart_id), request)

    async def SaveGuestCartItem(self, request: cart_service_pb2.SaveGuestCartItemRequest, _: Any) -> cart_pb2.Cart:
        return await self._move(self._carts.save, domain.of_guest(request.cart_id), request)

    async def RestoreGuestCartItem(
        self, request: cart_service_pb2.RestoreGuestCartItemRequest, _: Any
    ) -> cart_pb2.Cart:
        return await self._move(self._carts.restore, domain.of_guest(request.cart_id), request)

    async def ForgetGuestSavedItem(
        self, request: cart_service_pb2.ForgetGuestSavedItemRequest, _: Any
    ) -> cart_pb2.Cart:
        return await self._move(self._carts.forget_saved, domain.of_guest(request.cart_id), request)

    async def AddGuestCartCoupon(self, request: cart_service_pb2.AddGuestCartCouponRequest, _: Any) -> cart_pb2.Cart:
        return await self._coupon(self._carts.add_coupon, domain.of_guest(request.cart_id), request)

    async def RemoveGuestCartCoupon(
        self, request: cart_service_pb2.RemoveGuestCartCouponRequest, _: Any
    ) -> cart_pb2.Cart:
        return await self._coupon(self._carts.remove_coupon, domain.of_guest(request.cart_id), request)

    async def _get(self, place: domain.Place, destination: domain.Destination = domain.NOWHERE) -> cart_pb2.Cart:
        return await self._shown(place, await self._carts.get(place), destination)

    async def _add(
        self, place: domain.Place, item: cart_service_pb2.AddCartItemRequest | cart_service_pb2.AddGuestCartItemRequest
    ) -> cart_pb2.Cart:
        return await self._changed(
            place, self._carts.add(place, item.sku, item.quantity, expected=item.expected_version)
        )

    async def _set(
        self, place: domain.Place, item: cart_service_pb2.SetCartItemRequest | cart_service_pb2.SetGuestCartItemRequest
    ) -> cart_pb2.Cart:
        return await self._changed(
            place, self._carts.set_quantity(place, item.sku, item.quantity, expected=item.expected_version)
        )

    async def _move(self, verb: _Move, place: domain.Place, item: _Moved) -> cart_pb2.Cart:
        return await self._changed(place, verb(place, item.sku, expected=item.expected_version))

    async def _coupon(self, verb: _CouponVerb, place: domain.Place, coupon: _Coupon) -> cart_pb2.Cart:
        return await self._changed(place, verb(place, coupon.code, expected=coupon.expected_version))

    async def _changed(self, place: domain.Place, change: Awaitable[domain.Cart]) -> cart_pb2.Cart:
        with _carrying_the_cart(place):
            cart = await change
        return await self._shown(place, cart)

    async def _shown(
        self, place: domain.Place, cart: domain.Cart, destination: domain.Destination = domain.NOWHERE
    ) -> cart_pb2.Cart:
        return messages.of_cart(await self._carts.show(cart, place, destination), place)


def servicer(carts: usecases.Carts) -> server.Servicer:
    """The servicer, ready to be served."""
    add = cart_service_pb2_grpc.add_CartServiceServicer_to_server
    return server.Servicer(DESCRIPTOR, add, CartServicer(carts))


@contextlib.contextmanager
def _carrying_the_cart(place: domain.Place) -> Iterator[None]:
    """Whoever lost a race gets the cart as it is. Without prices: nobody else is asked to say no."""
    try:
        yield
    except domain.ChangedError as lost:
        lost.details = (messages.of_cart(domain.Shown(lost.cart, None, None, None), place),)
        raise


def _own() -> domain.Place:
    return domain.of_user(identity.caller().user_id)
