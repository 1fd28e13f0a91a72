"""What orders would cost: the catalog's prices, shipping, discounts, taxes. Nothing is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services import postal
from services.chassis import errors, money
from services.order import domain
from services.order.domain import totals
from services.order.usecases import discounting


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
    """Prices of the catalog, of whoever ships, of promotions, and of the shop's tax rates, put together.

    complete: an address that lacks something is refused, as one is in which something is wrong.
    """

    catalog: Catalog
    shipping: Shipping
    discounts: discounting.Discounting
    taxes: totals.Taxes
    addresses: postal.Postal
    complete: bool = False

    async def quote(self, basket: domain.Basket) -> domain.Quote:
        """What an order of this basket would cost now.

        Raises SKU_UNKNOWN, SKU_DUPLICATE, CURRENCY_MIXED, ORDER_TOTAL_TOO_LARGE, ADDRESS_INVALID or SHIPPING_UNAVAILABLE.
        """
        [quoted] = await self.quotes([basket])
        return _possible(quoted)

    async def quotes(self, baskets: Sequence[domain.Basket]) -> list[domain.Quote | errors.DomainError]:
        """What an order of each basket would cost now, or why it can't be ordered. Raises TransientError for all of them."""
        offers = await self.catalog.offers({item.sku for basket in baskets for item in basket.items})
        parcels = [self._parcel(basket, offers) for basket in baskets]
        known = [parcel for parcel in parcels if not isinstance(parcel, errors.DomainError)]
        costs = iter(await self.shipping.costs(known))
        sent = [
            parcel if isinstance(parcel, errors.DomainError) else _shipped(parcel, next(costs)) for parcel in parcels
        ]
        return [self._quote(order, offers) for order in await self._discounted(baskets, sent)]

    async def quote_cart(self, basket: domain.Basket) -> domain.Quote | None:
        """What those items of this basket that are for sale would cost now; None when none is.

        Without a country shipping and taxes are not known, and count as none. Raises SKU_DUPLICATE, CURRENCY_MIXED,
        ORDER_TOTAL_TOO_LARGE, SHIPPING_UNAVAILABLE, or TransientError.
        """
        offers = await self.catalog.offers({item.sku for item in basket.items})
        sold = tuple(item for item in basket.items if item.sku in offers)
        if not sold:
            return None
        lines = totals.lines_of(sold, offers)
        parcel = totals.parcel(self._written(basket.address), lines, totals.sent(basket, lines, offers))
        [order] = await self._discounted([basket], [await self._sent(parcel)])
        return _possible(self._quote(order, offers))

    async def _sent(self, parcel: domain.Parcel) -> totals.Shipped:
        """The parcel with what it costs to ship it, if it is known where to."""
        if not parcel.address.country:
            return totals.Shipped(parcel, None)
        [cost] = await self.shipping.costs([parcel])
        return totals.shipped(parcel, cost)

    async def _discounted(
        self, baskets: Sequence[domain.Basket], sent: Sequence[totals.Shipped | errors.DomainError]
    ) -> list[totals.Shipped | errors.DomainError]:
        questions = [
            discounting.Question(basket.user_id, basket.coupon_codes, order)
            for basket, order in zip(baskets, sent, strict=True)
            if not isinstance(order, errors.DomainError)
        ]
        answers = iter(await self.discounts.discounted(questions))
        return [order if isinstance(order, errors.DomainError) else next(answers) for order in sent]

    def _parcel(self, basket: domain.Basket, offers: Mapping[str, domain.Offer]) -> domain.Parcel | errors.DomainError:
        try:
            totals.check_address(self._judged(basket.address).problems, complete=self.complete)
            lines = totals.lines_of(basket.items, offers)
            return totals.parcel(self._written(basket.address), lines, totals.sent(basket, lines, offers))
        except errors.DomainError as error:
            return error

    def _written(self, there: domain.Address) -> domain.Address:
        """The address with its region as its country writes it: by that, rates and taxes are found."""
        region = self._judged(there).place.region
        return there if region == there.region else replace(there, region=region)

    def _judged(self, there: domain.Address) -> postal.Verdict:
        return self.addresses.judge(postal.Place(there.country, there.region, there.city, there.postal_code))

    def _quote(
        self, order: totals.Shipped | errors.DomainError, offers: Mapping[str, domain.Offer]
    ) -> domain.Quote | errors.DomainError:
        try:
            return order if isinstance(order, errors.DomainError) else totals.quote(order, self.taxes, offers)
        except errors.DomainError as error:
            return error


def _possible(quoted: domain.Quote | errors.DomainError) -> domain.Quote:
    """The quote. Raises why it can't be ordered."""
    if isinstance(quoted, errors.DomainError):
        raise quoted
    return quoted


def _shipped(parcel: domain.Parcel, cost: money.Money | None) -> totals.Shipped | errors.DomainError:
    try:
        return totals.shipped(parcel, cost)
    except errors.DomainError as error:
        return error
