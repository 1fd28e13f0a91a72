"""What is to be quoted, and the quote."""

from collections.abc import Sequence

from google.type import money_pb2

from services.chassis import money
from services.chassis.rpc import render
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


def question_of_order(request: promotion_service_pb2.QuoteOrderRequest) -> questions.Question:
    return questions.Question(
        tuple(_priced(number, item) for number, item in enumerate(request.items)),
        tuple(request.codes),
        request.first_order,
        render.money_sent("shipping", request.shipping) if request.HasField("shipping") else None,
        request.user_id.lower(),
    )


def _priced(number: int, item: promotion_service_pb2.QuoteOrderRequest.Item) -> questions.Wanted:
    field = f"items[{number}].unit_price"
    price = render.money_sent(field, item.unit_price) if item.HasField("unit_price") else None
    return questions.Wanted(item.sku, item.quantity, price)


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
