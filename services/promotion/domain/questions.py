"""What is asked for a quote, before prices and traits of the items are known."""

from dataclasses import dataclass

from services.chassis import money


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many of a SKU, at a price that the caller knows (None: the catalog's)."""

    sku: str
    quantity: int
    unit_price: money.Money | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be quoted, with which codes as they were entered, for whom (empty: not known). shipping None: not known."""

    items: tuple[Wanted, ...]
    codes: tuple[str, ...] = ()
    first_order: bool = False
    shipping: money.Money | None = None
    user_id: str = ""
