"""A catalog with a few goods, and the use cases of rates beside it."""

from collections.abc import Iterable, Mapping

from services import postal, tariff
from services.chassis import clock, credentials, database, money, webhooks
from services.chassis.rpc import server
from services.shipping import rpc
from services.shipping.domain import parcels, rates
from services.shipping.usecases import handling, rating

GOODS = {
    "MUG": rates.Good(money.Money("USD", 1000), tariff.Package(grams=400)),
    "SOFA": rates.Good(money.Money("USD", 90000), tariff.Package(40_000, 2000, 900, 800)),
    "TEA": rates.Good(money.Money("EUR", 500)),
}

NOBODY = webhooks.Sender("simulator", "webhook-signature", credentials.NONE)


class Shelf:
    """What is for sale."""

    async def goods(self, skus: Iterable[str]) -> Mapping[str, rates.Good]:
        return {sku: GOODS[sku] for sku in skus if sku in GOODS}


def servicer(
    hands: handling.Handling, db: database.Database, *, hooks: webhooks.Door[parcels.Scanned] | None = None
) -> server.Servicer:
    """The service's calls, which take no webhooks unless told."""
    return rpc.servicer(
        hands, rating_of(db), hooks or webhooks.Door(NOBODY, parcels.Scanned, _unheard, now=clock.utc_now)
    )


async def _unheard(_: parcels.Scanned) -> None:
    raise AssertionError("a webhook came through a door without a secret")


def rating_of(db: database.Database) -> rating.Rating:
    return rating.Rating(db, Shelf(), postal.Postal(), now=clock.utc_now)
