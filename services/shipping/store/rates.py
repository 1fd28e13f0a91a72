"""The tables of rates: `rate_tables`, append-only. The newest holds."""

from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services import tariff
from services.chassis import database
from services.chassis.schema import TIME
from services.shipping import store
from services.shipping.domain import rates

Table(
    "rate_tables",
    store.METADATA,
    Column("version", BigInteger, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("update_time", TIME, nullable=False),
)
_NEWEST = database.Statement("""
SELECT version, content, actor, update_time FROM rate_tables ORDER BY version DESC LIMIT 1
""")
# The version is the claim: of two that replace the same table at the same moment one finds it taken.
_ADD = database.Statement("""
INSERT INTO rate_tables (version, content, actor, update_time)
VALUES (%(version)s, %(content)s, %(actor)s, %(update_time)s) ON CONFLICT DO NOTHING RETURNING version
""")


async def newest(db: database.Database) -> rates.Kept:
    """The table that holds."""
    return _kept(await db.read(_NEWEST))


async def newest_within(transaction: database.Transaction) -> rates.Kept:
    """The table that holds, as a transaction sees it."""
    return _kept(await transaction.run(_NEWEST))


async def add(transaction: database.Transaction, kept: rates.Kept) -> bool:
    """Write a table: whether its version was free."""
    table = kept.table
    content = {key: value for key, value in asdict(table).items() if key != "version"}
    row = {"version": table.version, "content": Jsonb(content), "actor": kept.actor, "update_time": kept.update_time}
    return bool(await transaction.run(_ADD, row))


def _kept(rows: list[database.Row]) -> rates.Kept:
    if not rows:
        return rates.Kept(tariff.Table())
    [(version, content, actor, update_time)] = rows
    zones = tuple(_zone(zone) for zone in content.pop("zones"))
    return rates.Kept(tariff.Table(version=version, zones=zones, **content), actor, update_time)


def _zone(row: dict[str, Any]) -> tariff.Zone:
    return tariff.Zone(row["name"], tuple(row["places"]), tuple(_rate(rate) for rate in row["rates"]))


def _rate(row: dict[str, Any]) -> tariff.Rate:
    bands = tuple(tariff.Band(**band) for band in row["bands"])
    return tariff.Rate(row["service_level"], row["currency"], bands, row["free_from"])
