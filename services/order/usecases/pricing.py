"""What orders would cost: the catalog's prices, shipping, taxes. Nothing is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis import errors, money
from services.order import domain
from services.order.domain import totals


class Catalog(Protocol):
    """Where prices come from."""

    async def offers(self, skus: Iterable[str]) -> Mapping[str, domain.Offer]:
        """What these SKUs cost now; those not for sale are absent. Raises TransientError when nobody answers."""


class Shipping(Protocol):
    """Who knows what shipping costs."""

    async def costs(self, parcels: Sequence[domain.Parcel]) -> Sequence[money.Money | None]:
        """What it costs to ship each of these; None for what is not shipped there. Raises TransientError."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices of the catalog, of whoever ships, and of the shop's tax rates, put together."""

    catalog: Catalog
    shipping: Shipping
    taxes: totals.Taxes

    async def quote(self, basket: domain.Basket) -> domain.Quote:
        """What an order of this basket would cost now.

        Raises SKU_UNKNOWN, SKU_DUPLICATE, CURRENCY_MIXED, ORDER_TOTAL_TOO_LARGE or SHIPPING_UNAVAILABLE.
        """
        [quoted] = await self.quotes([basket])
        if isinstance(quoted, errors.DomainError):
            raise quoted
        return quoted

    async def quotes(self, baskets: Sequence[domain.Basket]) -> list[domain.Quote | errors.DomainError]:
        """What an order of each basket would cost now, or why it can't be ordered. Raises TransientError for all of them."""
        offers = await self.catalog.offers({item.sku for basket in baskets for item in basket.items})
        parcels = [_parcel(basket, offers) for basket in baskets]
        known = [parcel for parcel in parcels if not isinstance(parcel, errors.DomainError)]
        costs = iter(await self.shipping.costs(known))
        return [
            parcel if isinstance(parcel, errors.DomainError) else self._quote(parcel, next(costs), offers)
            for parcel in parcels
        ]

    def _quote(
        self, parcel: domain.Parcel, cost: money.Money | None, offers: Mapping[str, domain.Offer]
    ) -> domain.Quote | errors.DomainError:
        try:
            return totals.quote(parcel, cost, self.taxes, offers)
        except errors.DomainError as error:
            return error


def _parcel(basket: domain.Basket, offers: Mapping[str, domain.Offer]) -> domain.Parcel | errors.DomainError:
    try:
        return totals.parcel(basket.address, totals.lines_of(basket.items, offers))
    except errors.DomainError as error:
        return error
