"""What shipping costs: a table that those who run the shop set as a whole, and quotes by it.

A table is one row, so there is no moment at which half of it is new. If the process dies before the commit nothing was set, and
the caller repeats; after it, the repetition finds the same table and answers with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from services import postal, tariff
from services.chassis import clock, database
from services.shipping.domain import parcels, rates
from services.shipping.store import rates as tables


class Catalog(Protocol):
    """Who knows what is for sale."""

    async def goods(self, skus: Iterable[str]) -> Mapping[str, rates.Good]:
        """What these SKUs cost, and how they are packed; those not for sale are absent. Raises TransientError."""


class Rating:
    """The use cases of rates and addresses."""

    def __init__(self, db: database.Database, catalog: Catalog, addresses: postal.Postal, *, now: clock.Clock) -> None:
        self._db = db
        self._catalog = catalog
        self._addresses = addresses
        self._now = now

    async def table(self) -> rates.Kept:
        """The table that holds."""
        return await tables.newest(self._db)

    async def set(self, table: tariff.Table, *, expected_version: int, actor: str) -> rates.Kept:
        """Replace the table of this version; again is as good as once. Raises RATES_INVALID or RATES_CHANGED."""
        rates.check(table)
        wanted = rates.Kept(replace(table, version=expected_version + 1), actor, self._now())
        async with self._db.transaction() as transaction:
            before = await tables.newest_within(transaction)
            if before.table == wanted.table:
                return before
            if before.table.version != expected_version:
                raise rates.changed(before.table.version)
            if not await tables.add(transaction, wanted):
                raise rates.changed(wanted.table.version)
        return wanted

    async def quote(self, items: Sequence[rates.Item], place: postal.Place) -> rates.Priced:
        """What it costs to ship these items there. Raises SKU_DUPLICATE, SKU_UNKNOWN, CURRENCY_MIXED or TransientError."""
        goods = await self._catalog.goods({item.sku for item in items})
        written = self._addresses.judge(place).place
        kept = await tables.newest(self._db)
        return rates.quote(tariff.Tariff(kept.table), (written.country, written.region), items, goods)

    async def grams(self, parcel: parcels.Parcel) -> int:
        """What a parcel weighs, by the catalog, or by the table for what the catalog does not know. Raises TransientError."""
        goods = await self._catalog.goods({line.sku for line in parcel.lines})
        table = replace((await tables.newest(self._db)).table, cm3_per_kg=0)
        packed = (
            (goods[line.sku].package if line.sku in goods else tariff.UNKNOWN, line.quantity) for line in parcel.lines
        )
        return tariff.Tariff(table).grams(packed)

    def judge(self, place: postal.Place) -> postal.Verdict:
        """What is wrong with the part of an address that has rules."""
        return self._addresses.judge(place)
