"""Orders and messages of the contract: `of_order` renders one, `draft` parses one. Events of either way are in `facts.py`."""

from collections.abc import Sequence

from services.chassis import errors, idempotency, money
from services.chassis.rpc import render
from services.order import domain, saga
from services.order.domain import rates
from souk.inventory.v1 import stock_pb2
from souk.order.v1 import order_pb2, order_service_pb2
from souk.promotion.v1 import promotion_pb2
from souk.shipping.v1 import rates_pb2
from souk.type.v1 import address_pb2

_ADDRESS = ("recipient", "line1", "line2", "city", "region", "postal_code", "country")


def draft(request: order_service_pb2.CreateOrderRequest, user_id: str) -> domain.Draft:
    """What is to be ordered. Raises PAYMENT_METHOD_AMBIGUOUS or MONEY_INVALID."""
    if request.payment_method and request.saved_payment_method:
        wrong = errors.Violation("saved_payment_method", "must be empty when payment_method names a token")
        raise errors.invalid("PAYMENT_METHOD_AMBIGUOUS", "the order names two payment methods", wrong)
    expected = request.expected_total if request.HasField("expected_total") else None
    return domain.Draft(
        basket=basket(request, user_id),
        payment_method=request.payment_method,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request) if request.request_id else b"",
        expected_total=render.money_sent("expected_total", expected) if expected else None,
        saved_method=request.saved_payment_method.lower(),
    )


def basket(
    request: order_service_pb2.CreateOrderRequest | order_service_pb2.QuoteOrderRequest, user_id: str
) -> domain.Basket:
    address = request.shipping_address
    return domain.Basket(
        user_id=user_id,
        items=tuple(domain.Item(item.sku, item.quantity) for item in request.items),
        address=domain.Address(*(getattr(address, name) for name in _ADDRESS)),
        coupon_codes=tuple(request.coupon_codes),
        service_level=_level(request),
    )


def _level(
    request: order_service_pb2.CreateOrderRequest
    | order_service_pb2.QuoteOrderRequest
    | order_service_pb2.QuoteCartRequest,
) -> str:
    return rates_pb2.ServiceLevel.Name(request.service_level or rates_pb2.STANDARD)


def of_quote(quote: domain.Quote) -> order_service_pb2.QuoteOrderResponse:
    return order_service_pb2.QuoteOrderResponse(
        lines=[of_line(line, taxes_included=quote.totals.taxes_included) for line in quote.lines],
        totals=of_totals(quote.totals),
        discounts=[_discount(discount, quote.totals.total.currency) for discount in quote.discounts],
        coupons=[_coupon(coupon) for coupon in quote.coupons],
    )


def cart(request: order_service_pb2.QuoteCartRequest) -> domain.Basket:
    return domain.Basket(
        user_id=request.user_id.lower(),
        items=tuple(domain.Item(item.sku, item.quantity) for item in request.items),
        address=domain.Address("", "", "", "", request.region, "", request.country),
        coupon_codes=tuple(request.coupon_codes),
        service_level=_level(request),
    )


def of_cart_quote(quote: domain.Quote | None, *, shipped: bool) -> order_service_pb2.QuoteCartResponse:
    """The quote of a cart: without shipping and taxes unless it is known where it is shipped to."""
    if quote is None:
        return order_service_pb2.QuoteCartResponse()
    totals = of_totals(quote.totals)
    if not shipped:
        totals.ClearField("shipping")
        totals.ClearField("taxes")
    line = order_service_pb2.QuoteCartResponse.Line
    return order_service_pb2.QuoteCartResponse(
        lines=[
            line(sku=one.sku, discount=render.money_message(one.in_currency(one.charges.discount)))
            for one in quote.lines
        ],
        totals=totals,
        discounts=[_discount(discount, quote.totals.total.currency) for discount in quote.discounts],
        coupons=[_coupon(coupon) for coupon in quote.coupons],
    )


def _discount(discount: domain.Discount, currency: str) -> order_pb2.Discount:
    amount = render.money_message(money.Money(currency, discount.amount))
    return order_pb2.Discount(
        promotion_id=discount.promotion_id, title=discount.title, code=discount.code, amount=amount
    )


def _coupon(coupon: domain.Coupon) -> order_service_pb2.QuoteOrderResponse.Coupon:
    if not coupon.refusal:
        return order_service_pb2.QuoteOrderResponse.Coupon(code=coupon.code, applied=True)
    refusal = promotion_pb2.Refusal.Value(coupon.refusal)
    return order_service_pb2.QuoteOrderResponse.Coupon(code=coupon.code, refusal=refusal, message=coupon.message)


def of_order(placed: domain.Placed) -> order_pb2.Order:
    order, moved = placed.order, placed.saga
    return order_pb2.Order(
        id=order.id,
        user_id=order.user_id,
        status=order_pb2.Order.Status.Value(moved.status),
        saga_id=moved.id,
        total=render.money_message(order.total),
        totals=of_totals(order.totals),
        lines=[of_line(line, taxes_included=order.taxes_included) for line in order.lines],
        shipping_address=of_address(order.address),
        payment_id=moved.payment_id,
        cancel_reason=moved.cancel_reason,
        shortages=[
            stock_pb2.Shortage(sku=s.sku, requested=s.requested, available=s.available) for s in moved.shortages
        ],
        create_time=render.timestamp(order.create_time),
        update_time=render.timestamp(moved.update_time),
        version=moved.version,
        discounts=[_discount(discount, order.total.currency) for discount in order.discounts],
        service_level=rates_pb2.ServiceLevel.Value(order.service_level),
        action_required=saga.CUSTOMER in moved.awaiting,
    )


def of_address(address: domain.Address) -> address_pb2.Address:
    return address_pb2.Address(**{name: getattr(address, name) for name in _ADDRESS})


def of_totals(totals: domain.Totals) -> order_pb2.Totals:
    return order_pb2.Totals(
        items=render.money_message(totals.items),
        discounts=render.money_message(totals.discounts),
        shipping=render.money_message(totals.shipping),
        taxes=render.money_message(totals.taxes),
        taxes_included=totals.taxes_included,
        total=render.money_message(totals.total),
    )


def of_line(line: domain.Line, *, taxes_included: bool) -> order_pb2.OrderLine:
    return order_pb2.OrderLine(
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price=render.money_message(line.unit_price),
        total=render.money_message(line.total),
        discount=render.money_message(line.in_currency(line.charges.discount)),
        shipping=render.money_message(line.in_currency(line.charges.shipping)),
        tax=render.money_message(line.in_currency(line.charges.tax)),
        tax_rate=rates.per_cent(line.charges.tax_rate),
        payable=render.money_message(line.payable(taxes_included=taxes_included)),
    )


def of_status(placed: domain.Placed, history: Sequence[domain.HistoryEntry]) -> order_service_pb2.OrderStatus:
    moved = placed.saga
    return order_service_pb2.OrderStatus(
        id=placed.order.id,
        status=order_pb2.Order.Status.Value(moved.status),
        saga=order_pb2.Saga(
            id=moved.id,
            definition_version=moved.definition_version,
            step=order_pb2.Saga.Step.Value(moved.step),
            awaiting=sorted(moved.awaiting),
            deadline=render.timestamp(moved.deadline) if moved.deadline else None,
            attempts=moved.attempts,
            stuck=moved.stuck,
        ),
        timeline=[of_entry(entry) for entry in history],
    )


def of_entry(entry: domain.HistoryEntry) -> order_pb2.OrderEvent:
    return order_pb2.OrderEvent(
        sequence=entry.sequence,
        status=order_pb2.Order.Status.Value(entry.status),
        event=entry.event,
        reason=entry.reason,
        actor=entry.actor,
        time=render.timestamp(entry.time),
    )
