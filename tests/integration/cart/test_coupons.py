"""Coupon codes kept in carts, over calls and in a real Redis: shown with what they take off, used, and taken out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.cart import clients, domain, usecases
from services.chassis import clock, errors, ids, redis_store
from services.chassis.rpc import client, identity, render, server
from services.promotion.domain.promotions import Refusal
from souk.cart.v1 import cart_pb2, cart_service_pb2, cart_service_pb2_grpc
from souk.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from souk.promotion.v1 import promotion_pb2
from tests.integration.cart.shelf import Shop, Till
from tests.integration.cart.test_checkout import ANN, HOME, TERMS, filled
from tests.support import calls


class Person:
    """Somebody with a cart: a user, or a guest."""

    def __init__(self, shop: calls.Shop, guest: str = "") -> None:
        self._stub: Any = cart_service_pb2_grpc.CartServiceStub(shop.channel)
        self._word = "Guest" if guest else ""
        self._named = {"cart_id": guest} if guest else {}
        self._say = {} if guest else {"metadata": shop.as_user("ann")}

    async def add(self, code: str, seen: int = 0) -> cart_pb2.Cart:
        return await self._ask(f"Add{self._word}CartCoupon", code=code, expected_version=seen)

    async def remove(self, code: str) -> cart_pb2.Cart:
        return await self._ask(f"Remove{self._word}CartCoupon", code=code)

    async def cart(self, **destination: str) -> cart_pb2.Cart:
        return await self._ask(f"Get{self._word}Cart", **destination)

    async def _ask(self, method: str, **fields: Any) -> cart_pb2.Cart:
        request = getattr(cart_service_pb2, f"{method}Request")(**self._named, **fields)
        answer: cart_pb2.Cart = await getattr(self._stub, method)(request, **self._say)
        return answer


def cost(amount: Any) -> str:
    return str(render.money_value(amount))


def verdicts(cart: cart_pb2.Cart) -> dict[str, str]:
    """What is said of each code: that it applies, or why it does not."""
    refusal = promotion_pb2.Refusal
    return {one.code: "applies" if one.applied else refusal.Name(one.refusal) for one in cart.coupons}


async def somebody(shop: calls.Shop, carts: usecases.Carts, who: str) -> Person:
    """A user or a guest with two packets of tea and a cup in their cart."""
    place = ANN if who == "user" else domain.of_guest(await carts.create())
    await carts.add(place, "cup", 1)
    await carts.add(place, "tea", 2)
    return Person(shop, "" if place == ANN else place.id)


@pytest.mark.parametrize("who", ["user", "guest"])
async def test_a_code_is_kept_shown_with_what_it_takes_off_and_taken_out(
    shop: calls.Shop, carts: usecases.Carts, market: Shop, who: str
) -> None:
    market.off = {"TEN": 130}
    person = await somebody(shop, carts, who)
    cart = await person.add("ten")
    assert verdicts(cart) == {"TEN": "applies"}
    assert (cost(cart.total), cost(cart.totals.discounts), cost(cart.totals.total)) == (
        "13.00 USD",
        "1.30 USD",
        "11.70 USD",
    )
    assert [(one.title, one.code, cost(one.amount)) for one in cart.discounts] == [("Ten", "TEN", "1.30 USD")]
    assert cost(cart.lines[0].discount) == "1.30 USD"
    assert market.asked[-1].user_id == ("ann" if who == "user" else "")
    assert (await person.add("TEN")).version == cart.version
    left = await person.remove("Ten")
    assert (verdicts(left), cost(left.totals.total), left.version) == ({}, "13.00 USD", cart.version + 1)


async def test_a_code_that_does_not_apply_is_kept_and_said_with_its_reason(
    shop: calls.Shop, carts: usecases.Carts, market: Shop
) -> None:
    market.off = {"TEN": 130}
    person = await somebody(shop, carts, "user")
    await person.add("NONE")
    cart = await person.add("TEN")
    assert verdicts(cart) == {"NONE": "CODE_UNKNOWN", "TEN": "applies"}
    assert cart.coupons[0].message


async def test_shipping_and_taxes_are_shown_for_a_destination_that_is_named(
    shop: calls.Shop, carts: usecases.Carts, market: Shop
) -> None:
    person = await somebody(shop, carts, "user")
    unknown, known = (await person.cart()).totals, (await person.cart(country="GB", region="Kent")).totals
    assert (unknown.HasField("shipping"), unknown.HasField("taxes"), cost(unknown.total)) == (False, False, "13.00 USD")
    assert (cost(known.shipping), known.HasField("taxes"), cost(known.total)) == ("4.90 USD", True, "17.90 USD")
    assert market.asked[-1].destination == domain.Destination("GB", "Kent")


async def test_without_the_order_service_a_cart_has_no_totals_and_can_be_used(
    shop: calls.Shop, carts: usecases.Carts, market: Shop
) -> None:
    market.off = {"TEN": 130}
    person = await somebody(shop, carts, "user")
    market.away = {"order"}
    cart = await person.add("TEN")
    assert (cart.without_totals, cart.HasField("totals"), cost(cart.total)) == (True, False, "13.00 USD")
    assert (verdicts(cart), list(cart.discounts)) == ({"TEN": "REFUSAL_UNSPECIFIED"}, [])
    market.away = set()
    assert verdicts(await person.cart()) == {"TEN": "applies"}


async def test_a_cart_that_cannot_be_ordered_as_it_is_says_why(
    shop: calls.Shop, carts: usecases.Carts, market: Shop
) -> None:
    person = await somebody(shop, carts, "user")
    market.refuses = "SHIPPING_UNAVAILABLE"
    cart = await person.cart(country="FR")
    assert (cart.refusal, cart.without_totals, cart.HasField("totals")) == ("SHIPPING_UNAVAILABLE", False, False)


async def test_codes_that_race_are_all_kept_and_one_for_another_version_changes_nothing(
    shop: calls.Shop, carts: usecases.Carts
) -> None:
    person = await somebody(shop, carts, "user")
    await asyncio.gather(*(carts.add_coupon(ANN, f"CODE-{number}") for number in range(domain.MOST_COUPONS)))
    assert len((await carts.get(ANN)).coupons) == domain.MOST_COUPONS
    assert (await calls.refused(person.add("ONE-MORE"))).reason == "COUPONS_FULL"
    assert (await calls.refused(person.add("CODE-1", seen=1))).reason == "CART_CHANGED"


async def test_a_guests_codes_are_there_after_signing_in(carts: usecases.Carts) -> None:
    guest = await carts.create()
    await carts.add_coupon(domain.of_guest(guest), "GUEST")
    await carts.add_coupon(ANN, "OWN")
    merged = await carts.merge(guest, "ann")
    assert [coupon.code for coupon in merged.coupons] == ["OWN", "GUEST"]
    assert (await carts.get(ANN)).coupons == merged.coupons


async def test_a_checkout_uses_the_kept_codes_and_its_order_takes_out_those_that_it_used(
    carts: usecases.Carts, till: Till
) -> None:
    await filled(carts)
    await carts.add_coupon(ANN, "TEN")
    seen = (await carts.add_coupon(ANN, "SHIP")).version
    till.loses = 1
    order = await carts.check_out("ann", seen, TERMS)
    assert till.codes == [["TEN", "SHIP"]] * 2, "the same codes by the same request"
    await carts.add_coupon(ANN, "LATER")
    confirmed = domain.Ordered(order.id, "ann", {"cup": 1, "tea": 2}, clock.utc_now(), frozenset({"TEN", "SHIP"}))
    for _ in range(2):
        await carts.take_out([confirmed])
    cart = await carts.get(ANN)
    assert (cart.lines, [coupon.code for coupon in cart.coupons]) == ((), ["LATER"])


async def test_a_cart_of_before_there_were_coupons_is_read(
    carts: usecases.Carts, redis: redis_store.RedisStore
) -> None:
    await filled(carts)
    async with redis.commands() as commands:
        key = redis.key("user", "ann")
        stored: Any = await commands.hget(key, "cart")
        written = stored.decode()
        assert '"coupons": []' in written
        await commands.hset(key, "cart", written.replace(', "coupons": []', ""))
    assert (await carts.get(ANN)).coupons == ()
    assert [one.code for one in (await carts.add_coupon(ANN, "TEN")).coupons] == ["TEN"]


def test_every_refusal_of_promotion_has_a_name_in_the_contract() -> None:
    assert set(Refusal) == set(promotion_pb2.Refusal.keys()) - {"REFUSAL_UNSPECIFIED"}


_ORDERS: Any = order_service_pb2_grpc.OrderServiceServicer


class Orders(_ORDERS):  # type: ignore[misc]  # a servicer that leaves most methods out, which its type forbids
    """The order service's contract: it refuses whatever codes come, and quotes what a test sets."""

    def __init__(self) -> None:
        self.quote = order_service_pb2.QuoteCartResponse()
        self.refuses: errors.DomainError | None = None
        self.asked: Any = None

    async def CreateOrder(self, request: Any, _: Any) -> Any:
        wrong = [
            errors.Violation(f"coupon_codes[{number}]", "ended", "ENDED") for number in range(len(request.coupon_codes))
        ]
        raise errors.invalid("COUPON_REFUSED", "some of the coupon codes do not apply", *wrong)

    async def QuoteCart(self, request: Any, _: Any) -> Any:
        self.asked = request
        if self.refuses:
            raise self.refuses
        return self.quote


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest_asyncio.fixture
async def peer(shop: calls.Shop, orders: Orders) -> AsyncIterator[client.Peer]:
    """The order service over gRPC, which accepts the same tokens as cart."""
    add = order_service_pb2_grpc.add_OrderServiceServicer_to_server
    async with calls.served(server.Servicer(clients.ORDER, add, orders), "order", key=shop.key) as served:
        peer = client.Peer(served.address, clients.ORDER, identity.Mesh(calls.MESH_KEY, "cart"), traced=False)
        yield peer
        await peer.stop()


async def test_refused_codes_are_named_by_where_they_were_entered(
    shop: calls.Shop, carts: usecases.Carts, peer: client.Peer
) -> None:
    carts._orders = clients.Orders(peer)
    await filled(carts)
    await carts.add_coupon(ANN, "KEPT")
    seen = (await carts.add_coupon(ANN, "BOTH")).version
    stub: Any = cart_service_pb2_grpc.CartServiceStub(shop.channel)
    request = cart_service_pb2.CheckoutCartRequest(
        expected_version=seen, shipping_address=HOME, coupon_codes=["new", "both"]
    )
    refused = await calls.refused(stub.CheckoutCart(request, metadata=shop.as_user("ann")))
    assert refused.reason == "COUPON_REFUSED"
    assert [wrong.field for wrong in refused.violations] == ["coupon_codes[0]", "coupon_codes[1]", "coupons[0]"]


async def test_a_quote_is_asked_for_with_everything_that_it_depends_on_and_read_as_it_is(
    orders: Orders, peer: client.Peer
) -> None:
    pricing, user_id = clients.Pricing(peer), ids.new_id(clock.utc_now())
    lines = (domain.Line("tea", 2, clock.utc_now()),)
    answer, told = order_service_pb2.QuoteCartResponse, order_service_pb2.QuoteOrderResponse.Coupon
    orders.quote = answer(
        lines=[answer.Line(sku="tea", discount={"currency_code": "USD", "units": 1})],
        totals=order_pb2.Totals(
            items={"currency_code": "USD", "units": 10},
            discounts={"currency_code": "USD", "units": 1},
            total={"currency_code": "USD", "units": 9},
        ),
        coupons=[
            told(code="TEN", applied=True),
            told(code="OLD", refusal=promotion_pb2.ENDED, message="It has ended."),
        ],
    )
    question = domain.Question(lines, ("TEN", "OLD"), user_id, domain.Destination("GB", "Kent"))
    quote = await pricing.quote(question)
    asked = orders.asked
    assert ([(item.sku, item.quantity) for item in asked.items], list(asked.coupon_codes)) == (
        [("tea", 2)],
        ["TEN", "OLD"],
    )
    assert (asked.user_id, asked.country, asked.region) == (user_id, "GB", "Kent")
    assert quote.totals is not None
    assert (quote.totals.total, quote.totals.shipping, quote.totals.taxes) == (quote.off["tea"] * 9, None, None)
    assert quote.verdicts == {"TEN": domain.Verdict(), "OLD": domain.Verdict("ENDED", "It has ended.")}


async def test_why_a_cart_cannot_be_ordered_is_an_answer_and_a_fault_is_none(orders: Orders, peer: client.Peer) -> None:
    question = domain.Question((domain.Line("tea", 2, clock.utc_now()),), (), "", domain.NOWHERE)
    orders.refuses = errors.invalid("CURRENCY_MIXED", "two currencies")
    assert await clients.Pricing(peer).quote(question) == domain.Quote(refusal="CURRENCY_MIXED")
    orders.refuses = errors.invalid("SKU_DUPLICATE", "a cart has one line for each SKU")
    with pytest.raises(errors.DomainError, match="SKU_DUPLICATE"):
        await clients.Pricing(peer).quote(question)
