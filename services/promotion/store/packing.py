"""The terms of a promotion as JSON, and back. A field that is not there has its default: rows of earlier releases are read."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis import money
from services.promotion.domain import promotions

_PLAIN = (
    *("title", "automatic", "first_order_only", "most_uses", "most_uses_per_customer", "exclusive", "priority"),
    # What the kinds have.
    *("basis_points", "buy", "get", "most_times"),
)


def pack(terms: promotions.Terms) -> dict[str, Any]:
    """The terms as JSON."""
    scope, window = terms.scope, terms.window
    return _fields(terms) | {
        "kind": _pack_kind(terms.kind),
        "scope": {
            "product_ids": sorted(scope.product_ids),
            "categories": sorted(scope.categories),
            "vendor_ids": sorted(scope.vendor_ids),
        },
        "window": {"start": window.start_local, "end": window.end_local, "time_zone": window.time_zone},
        "minimum_spend": _pack_money(terms.minimum_spend),
    }


def unpack(packed: Mapping[str, Any]) -> promotions.Terms:
    """The terms in JSON."""
    scope, window = packed.get("scope", {}), packed.get("window", {})
    plain = {name: packed[name] for name in _PLAIN if name in packed}
    return promotions.Terms(
        **plain,
        kind=_unpack_kind(packed["kind"]),
        scope=promotions.Scope(**{name: frozenset(values) for name, values in scope.items()}),
        window=promotions.Window(window.get("start", ""), window.get("end", ""), window.get("time_zone", "")),
        minimum_spend=_unpack_money(packed.get("minimum_spend")),
    )


def _fields(of: object) -> dict[str, Any]:
    return {name: getattr(of, name) for name in _PLAIN if hasattr(of, name)}


def _pack_money(amount: money.Money | None) -> list[Any] | None:
    return [amount.currency, amount.amount] if amount else None


def _unpack_money(packed: Sequence[Any] | None) -> money.Money | None:
    return money.Money(*packed) if packed else None


def _pack_kind(kind: promotions.Kind) -> dict[str, Any]:
    packed = {"is": type(kind).__name__} | _fields(kind)
    if isinstance(kind, promotions.FixedAmount):
        packed["amount"] = _pack_money(kind.amount)
    if isinstance(kind, promotions.Tiered):
        packed["tiers"] = [
            {
                "minimum": _pack_money(tier.minimum),
                "basis_points": tier.basis_points,
                "amount": _pack_money(tier.amount),
            }
            for tier in kind.tiers
        ]
    return packed


def _unpack_kind(packed: Mapping[str, Any]) -> promotions.Kind:
    match packed["is"]:
        case "Percentage":
            return promotions.Percentage(packed["basis_points"])
        case "FixedAmount":
            return promotions.FixedAmount(money.Money(*packed["amount"]))
        case "FreeShipping":
            return promotions.FreeShipping()
        case "BuyXGetY":
            return promotions.BuyXGetY(packed["buy"], packed["get"], packed["basis_points"], packed["most_times"])
        case "Tiered":
            return promotions.Tiered(tuple(_unpack_tier(tier) for tier in packed["tiers"]))
    raise ValueError(f"no kind of promotion: {packed['is']!r}")


def _unpack_tier(packed: Mapping[str, Any]) -> promotions.Tier:
    return promotions.Tier(money.Money(*packed["minimum"]), packed["basis_points"], _unpack_money(packed["amount"]))
