"""What is to be quoted, and the quote."""

from collections.abc import Sequence

from google.type import money_pb2

from services.chassis import errors, money
from services.chassis.rpc import render, status
from services.promotion.domain import codes, questions, quotes
from services.promotion.domain.promotions import Refusal
from souk.promotion.v1 import promotion_pb2, promotion_service_pb2

# What customers are told.
SAID = {
    Refusal.CODE_UNKNOWN: "This code does not exist.",
    Refusal.NOT_STARTED: "This promotion has not started yet.",
    Refusal.ENDED: "This promotion has ended.",
    Refusal.OUT_OF_SCOPE: "This promotion does not apply to any of these items.",
    Refusal.CURRENCY_DIFFERENT: "This promotion is for another currency.",
    Refusal.BELOW_MINIMUM_SPEND: "The items cost less than the minimum of this promotion.",
    Refusal.NOT_FIRST_ORDER: "This promotion is for a first order only.",
    Refusal.LIMIT_REACHED: "This promotion is used up.",
    Refusal.CUSTOMER_LIMIT_REACHED: "You have used this promotion as often as possible.",
    Refusal.CODE_USED: "This code was used already.",
    Refusal.NOT_COMBINABLE: "This promotion does not combine with a better one that was applied.",
    Refusal.PROMOTION_REPEATED: "Another code of the same promotion was applied.",
    Refusal.PROMOTION_CHANGED: "This promotion was changed. Check the new price.",
    Refusal.SHIPPING_UNKNOWN: "This promotion takes off the shipping, which depends on where the order goes.",
}


def question(request: promotion_service_pb2.QuoteRequest) -> questions.Question:
    items = tuple(questions.Wanted(item.sku, item.quantity) for item in request.items)
    return questions.Question(items, tuple(request.codes), request.first_order)


def questions_of(request: promotion_service_pb2.BatchQuoteOrdersRequest) -> list[questions.Question]:
    return [_of_order(f"orders[{number}]", order) for number, order in enumerate(request.orders)]


def _of_order(field: str, order: promotion_service_pb2.BatchQuoteOrdersRequest.Order) -> questions.Question:
    return questions.Question(
        tuple(_priced(f"{field}.items[{number}]", item) for number, item in enumerate(order.items)),
        tuple(order.codes),
        order.first_order,
        render.money_sent(f"{field}.shipping", order.shipping) if order.HasField("shipping") else None,
        order.user_id.lower(),
    )


def _priced(field: str, item: promotion_service_pb2.BatchQuoteOrdersRequest.Order.Item) -> questions.Wanted:
    price = render.money_sent(f"{field}.unit_price", item.unit_price) if item.HasField("unit_price") else None
    return questions.Wanted(item.sku, item.quantity, price)


def of_answers(
    answers: Sequence[quotes.Quote | errors.DomainError],
    request: promotion_service_pb2.BatchQuoteOrdersRequest,
    *,
    service: str,
) -> promotion_service_pb2.BatchQuoteOrdersResponse:
    """The answers in the order of the request. Errors come from `service`."""
    quote = promotion_service_pb2.BatchQuoteOrdersResponse.Quote
    told = [
        quote(error=status.render(answer, service))
        if isinstance(answer, errors.DomainError)
        else _quoted(answer, order.codes)
        for answer, order in zip(answers, request.orders, strict=True)
    ]
    return promotion_service_pb2.BatchQuoteOrdersResponse(quotes=told)


def _quoted(found: quotes.Quote, entered: Sequence[str]) -> promotion_service_pb2.BatchQuoteOrdersResponse.Quote:
    return promotion_service_pb2.BatchQuoteOrdersResponse.Quote(
        discounts=[_whole(found, applied) for applied in found.applied],
        codes=[_result(found, code) for code in entered],
    )


def _whole(
    found: quotes.Quote, applied: quotes.Applied
) -> promotion_service_pb2.BatchQuoteOrdersResponse.Quote.Discount:
    discount = promotion_service_pb2.BatchQuoteOrdersResponse.Quote.Discount
    return discount(
        promotion_id=applied.promotion.id,
        title=applied.promotion.terms.title,
        code=applied.code,
        redeems_version=applied.promotion.version if applied.promotion.must_be_claimed else 0,
        lines=[discount.Line(sku=sku, amount=_amount(found, amount)) for sku, amount in applied.lines.items()],
        shipping=_amount(found, applied.shipping) if applied.shipping else None,
    )


def of_quote(found: quotes.Quote, entered: Sequence[str]) -> promotion_service_pb2.QuoteResponse:
    shipping = found.basket.shipping
    return promotion_service_pb2.QuoteResponse(
        lines=[_line(found, item) for item in found.basket.items],
        items=render.money_message(found.items),
        items_discount=render.money_message(found.items_discount),
        shipping=render.money_message(shipping) if shipping else None,
        shipping_discounts=[_discount(found, one, one.shipping) for one in found.applied if one.shipping],
        total=render.money_message(found.total),
        codes=[_result(found, code) for code in entered],
        redemptions=[_redemption(found, one) for one in found.applied if one.promotion.must_be_claimed],
    )


def _line(found: quotes.Quote, item: quotes.Item) -> promotion_service_pb2.QuoteResponse.Line:
    off = found.off(item.sku)
    return promotion_service_pb2.QuoteResponse.Line(
        sku=item.sku,
        quantity=item.quantity,
        unit_price=render.money_message(item.unit_price),
        price=_amount(found, item.price),
        discounts=[_discount(found, one, one.lines[item.sku]) for one in found.applied if item.sku in one.lines],
        discount=_amount(found, off),
        total=_amount(found, item.price - off),
    )


def _discount(
    found: quotes.Quote, applied: quotes.Applied, amount: int
) -> promotion_service_pb2.QuoteResponse.Discount:
    return promotion_service_pb2.QuoteResponse.Discount(
        promotion_id=applied.promotion.id,
        title=applied.promotion.terms.title,
        code=applied.code,
        amount=_amount(found, amount),
    )


def _result(found: quotes.Quote, entered: str) -> promotion_service_pb2.QuoteResponse.CodeResult:
    why = found.refused.get(codes.written(entered))
    if why is None:
        return promotion_service_pb2.QuoteResponse.CodeResult(code=entered, applied=True)
    refusal = promotion_pb2.Refusal.Value(why)
    return promotion_service_pb2.QuoteResponse.CodeResult(code=entered, refusal=refusal, message=SAID[why])


def _redemption(found: quotes.Quote, applied: quotes.Applied) -> promotion_service_pb2.QuoteResponse.Redemption:
    return promotion_service_pb2.QuoteResponse.Redemption(
        promotion_id=applied.promotion.id,
        promotion_version=applied.promotion.version,
        code=applied.code,
        discount=_amount(found, applied.total),
    )


def _amount(found: quotes.Quote, amount: int) -> money_pb2.Money:
    return render.money_message(money.Money(found.basket.currency, amount))
