"""Promotions as administrators say and see them, and codes."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import idempotency
from services.chassis.rpc import render
from services.promotion.domain import codes, promotions
from souk.promotion.v1 import promotion_pb2, promotion_service_pb2


def terms_sent(message: promotion_pb2.Terms) -> promotions.Terms:
    """The terms in a request. Raises MONEY_INVALID, which names the field."""
    return promotions.Terms(
        title=message.title,
        kind=_kind(message),
        automatic=message.automatic,
        scope=promotions.Scope(
            frozenset(product_id.lower() for product_id in message.scope.product_ids),
            frozenset(message.scope.categories),
            frozenset(vendor_id.lower() for vendor_id in message.scope.vendor_ids),
        ),
        minimum_spend=(
            render.money_sent("terms.minimum_spend", message.minimum_spend)
            if message.HasField("minimum_spend")
            else None
        ),
        first_order_only=message.first_order_only,
        window=promotions.Window(message.start_local, message.end_local, message.time_zone),
        most_uses=message.most_uses,
        most_uses_per_customer=message.most_uses_per_customer,
        exclusive=message.exclusive,
        priority=message.priority,
    )


def _kind(message: promotion_pb2.Terms) -> promotions.Kind:
    match message.WhichOneof("kind"):
        case "percentage":
            return promotions.Percentage(message.percentage.basis_points)
        case "fixed_amount":
            return promotions.FixedAmount(render.money_sent("terms.fixed_amount.amount", message.fixed_amount.amount))
        case "buy_x_get_y":
            said = message.buy_x_get_y
            return promotions.BuyXGetY(said.buy, said.get, said.basis_points, said.most_times)
        case "tiered":
            return promotions.Tiered(tuple(_tier(number, tier) for number, tier in enumerate(message.tiered.tiers)))
    return promotions.FreeShipping()


def _tier(number: int, tier: promotion_pb2.Tier) -> promotions.Tier:
    field = f"terms.tiered.tiers[{number}]"
    amount = render.money_sent(f"{field}.amount", tier.amount) if tier.HasField("amount") else None
    return promotions.Tier(render.money_sent(f"{field}.minimum", tier.minimum), tier.basis_points, amount)


def of_promotion(promotion: promotions.Promotion) -> promotion_pb2.Promotion:
    return promotion_pb2.Promotion(
        id=promotion.id,
        terms=_of_terms(promotion.terms),
        version=promotion.version,
        uses=promotion.uses,
        start_time=_moment(promotion.start_time),
        end_time=_moment(promotion.end_time),
        create_time=render.timestamp(promotion.create_time),
        update_time=render.timestamp(promotion.update_time),
    )


def _moment(moment: datetime | None) -> Timestamp | None:
    return render.timestamp(moment) if moment else None


def _of_terms(terms: promotions.Terms) -> promotion_pb2.Terms:
    said = promotion_pb2.Terms(
        title=terms.title,
        automatic=terms.automatic,
        minimum_spend=render.money_message(terms.minimum_spend) if terms.minimum_spend else None,
        first_order_only=terms.first_order_only,
        start_local=terms.window.start_local,
        end_local=terms.window.end_local,
        time_zone=terms.window.time_zone,
        most_uses=terms.most_uses,
        most_uses_per_customer=terms.most_uses_per_customer,
        exclusive=terms.exclusive,
        priority=terms.priority,
    )
    if terms.scope != promotions.Scope():
        said.scope.product_ids.extend(sorted(terms.scope.product_ids))
        said.scope.categories.extend(sorted(terms.scope.categories))
        said.scope.vendor_ids.extend(sorted(terms.scope.vendor_ids))
    _say_kind(said, terms.kind)
    return said


def _say_kind(said: promotion_pb2.Terms, kind: promotions.Kind) -> None:
    match kind:
        case promotions.Percentage(basis_points):
            said.percentage.basis_points = basis_points
        case promotions.FixedAmount(amount):
            said.fixed_amount.amount.CopyFrom(render.money_message(amount))
        case promotions.FreeShipping():
            said.free_shipping.SetInParent()
        case promotions.BuyXGetY():
            said.buy_x_get_y.buy, said.buy_x_get_y.get = kind.buy, kind.get
            said.buy_x_get_y.basis_points, said.buy_x_get_y.most_times = kind.basis_points, kind.most_times
        case promotions.Tiered(tiers):
            said.tiered.tiers.extend(_of_tier(tier) for tier in tiers)


def _of_tier(tier: promotions.Tier) -> promotion_pb2.Tier:
    minimum = render.money_message(tier.minimum)
    if tier.amount:
        return promotion_pb2.Tier(minimum=minimum, amount=render.money_message(tier.amount))
    return promotion_pb2.Tier(minimum=minimum, basis_points=tier.basis_points)


def order_of_codes(request: promotion_service_pb2.CreateCodesRequest, actor: str) -> codes.Order:
    return codes.Order(
        promotion_id=request.id.lower(),
        actor=actor,
        code=request.code,
        count=1 if request.code else request.count,
        prefix=request.prefix,
        most_uses=request.most_uses,
        request_id=request.request_id,
        fingerprint=idempotency.fingerprint(request),
    )


def of_batch(batch: codes.Batch) -> promotion_service_pb2.CodeBatch:
    return promotion_service_pb2.CodeBatch(id=batch.id, promotion_id=batch.promotion_id, count=batch.count)


def of_chunk(found: Sequence[codes.Code]) -> promotion_service_pb2.CodeChunk:
    shown = [
        promotion_pb2.Code(code=one.code, batch_id=one.batch_id, most_uses=one.most_uses, uses=one.uses)
        for one in found
    ]
    return promotion_service_pb2.CodeChunk(codes=shown, code=found[-1].code)
