"""A cart as it is shown: with what others say of it now."""

from dataclasses import dataclass
from enum import StrEnum

from services.cart.domain.quotes import Quote, Verdict
from services.cart.domain.values import Cart, Coupon, Line, Offer, Offers, Stock
from services.chassis import money


class Change(StrEnum):
    """What is no longer as it was when a line was put in. The names are those of the contract."""

    PRICE_CHANGED = "PRICE_CHANGED"
    NOT_SOLD = "NOT_SOLD"
    FEWER_IN_STOCK = "FEWER_IN_STOCK"


@dataclass(frozen=True, slots=True)
class Shown:
    """A cart as it is shown: with what the catalog, inventory and the order service say now. None: no answer."""

    cart: Cart
    offers: Offers
    stock: Stock
    quote: Quote | None

    @property
    def total(self) -> money.Money | None:
        """What the lines that are sold cost together; None if that is not known, or in several currencies."""
        prices = [offer.price * line.quantity for line in self.cart.lines if (offer := self.offer(line))]
        return money.total(prices) if len({price.currency for price in prices}) == 1 else None

    def offer(self, line: Line) -> Offer | None:
        """What the line's SKU costs, if that is known."""
        return self.offers.get(line.sku) if self.offers else None

    def available(self, line: Line) -> int | None:
        """How many units of the line's SKU can be ordered, if that is known."""
        return None if self.stock is None else self.stock.get(line.sku, 0)

    def discount(self, line: Line) -> money.Money | None:
        """What is taken off the line, if that is known."""
        return self.quote.off.get(line.sku) if self.quote else None

    def verdict(self, coupon: Coupon) -> Verdict | None:
        """Whether the code applies, if that is known."""
        return self.quote.verdicts.get(coupon.code) if self.quote else None

    def changes(self, line: Line) -> list[Change]:
        """What has changed since the line was put in, as far as it is known."""
        offer, available = self.offer(line), self.available(line)
        price_changed = offer and line.price and offer.price != line.price
        told = {
            Change.PRICE_CHANGED: price_changed,
            Change.NOT_SOLD: self.offers is not None and offer is None,
            Change.FEWER_IN_STOCK: available is not None and available < line.quantity,
        }
        return [change for change, happened in told.items() if happened]
