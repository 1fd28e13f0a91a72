"""A catalog with a few goods, and the use cases of rates beside it."""

from collections.abc import Iterable, Mapping

from services import postal, tariff
from services.chassis import clock, database, money
from services.shipping.domain import rates
from services.shipping.usecases import rating

GOODS = {
    "MUG": rates.Good(money.Money("USD", 1000), tariff.Package(grams=400)),
    "SOFA": rates.Good(money.Money("USD", 90000), tariff.Package(40_000, 2000, 900, 800)),
    "TEA": rates.Good(money.Money("EUR", 500)),
}


class Shelf:
    """What is for sale."""

    async def goods(self, skus: Iterable[str]) -> Mapping[str, rates.Good]:
        return {sku: GOODS[sku] for sku in skus if sku in GOODS}


def rating_of(db: database.Database) -> rating.Rating:
    return rating.Rating(db, Shelf(), postal.Postal(), now=clock.utc_now)
