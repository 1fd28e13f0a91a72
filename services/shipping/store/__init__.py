"""The rows of shipping: `deliveries` (what was heard of orders), `parcels`, and `parcel_events` (append-only).

Every write takes a list and is one statement. Rows are locked in one order, deliveries by order and then parcels by order and
id, so that two batches with orders in common wait for each other instead of deadlocking. Rows become domain values here and
nowhere else.
"""

import itertools
import operator
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from services import postal
from services.chassis import database, tracing
from services.chassis.schema import ID, TIME
from services.shipping.domain import deliveries, parcels

SERVICE = "shipping"
METADATA = MetaData()
_FOLLOWED = "state IN ('AWAITED', 'HANDED_OVER', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERY_FAILED', 'RETURNING')"

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("order_id", ID, primary_key=True),
    Column("user_id", ID, nullable=True, index=True),
    Column("address", JSONB, nullable=True),
    Column("confirm_time", TIME, nullable=True),
    Column("picks", JSONB, nullable=True),
    Column("stopped", Boolean, nullable=False, server_default="false"),
    # How fast it is sent, and who sells what of it.
    Column("terms", JSONB, nullable=True),
)
PARCELS = Table(
    "parcels",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, nullable=False),
    Column("user_id", ID, nullable=False, index=True),
    Column("warehouse", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("address", JSONB, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("tracking_number", Text, nullable=False),
    Column("tracking_url", Text, nullable=False),
    Column("label_url", Text, nullable=False),
    Column("failure_reason", Text, nullable=False),
    Column("scans", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", TIME, nullable=False),
    Column("update_time", TIME, nullable=False),
    Column("vendor_id", Text, nullable=False, server_default=""),
    Column("service_level", Text, nullable=False, server_default="STANDARD"),
    # The return that it brings back; empty for a parcel to a customer.
    Column("return_id", Text, nullable=False, server_default=""),
    Column("next_try_at", TIME, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("traceparent", Text, nullable=False, server_default=""),
    UniqueConstraint("order_id", "return_id", "warehouse"),
    Index("ix_parcels_return", "return_id", postgresql_where="return_id <> ''"),
    Index("ix_parcels_reference", "reference", postgresql_where="reference <> ''"),
    Index("ix_parcels_label", "next_try_at", postgresql_where="state IN ('LABELLING', 'LABELLING_STOPPED', 'VOIDING')"),
    Index("ix_parcels_followed", "next_try_at", postgresql_where=_FOLLOWED),
)
EVENTS = Table(
    "parcel_events",
    METADATA,
    Column("parcel_id", ID, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("state", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", TIME, nullable=False),
)

_P, _E = PARCELS.c, EVENTS.c
_COLUMNS = tuple(column.name for column in PARCELS.columns)[:20]
SHOWN = [_P[name] for name in _COLUMNS]
_EVENT_COLUMNS = ("parcel_id", "sequence", "state", "event", "actor", "place", "reason", "time")
# One statement notes what is said of orders, locks their rows and answers what is known of them by now. What was said once stays.
_NOTE = database.Statement("""
INSERT INTO deliveries AS d (order_id, user_id, address, confirm_time, picks, terms)
SELECT * FROM unnest(%(order_id)s::uuid[], %(user_id)s::uuid[], %(address)s::jsonb[], %(confirm_time)s::timestamptz[],
  %(picks)s::jsonb[], %(terms)s::jsonb[]) AS g(order_id, user_id, address, confirm_time, picks, terms) ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE SET user_id = coalesce(d.user_id, excluded.user_id),
  address = coalesce(d.address, excluded.address), confirm_time = coalesce(d.confirm_time, excluded.confirm_time),
  picks = coalesce(d.picks, excluded.picks), terms = coalesce(d.terms, excluded.terms)
RETURNING order_id, user_id, address, confirm_time, picks, stopped, terms
""")
# Where nothing moves any more, or a customer has the label of a return, only the country and the region of an address stay.
# Users erased: see the chassis' `erasure`.
_BLANK = f"address || '{postal.NOBODY}'"
_MOVING = ", ".join(f"'{state}'" for state in sorted(set(parcels.State) - parcels.ENDED - {parcels.State.AWAITED}))
ERASE = (
    database.Statement(f"""
UPDATE deliveries AS d SET address = d.{_BLANK}
WHERE order_id IN (SELECT order_id FROM deliveries WHERE user_id = ANY(%(users)s::uuid[]) AND address ->> 'line1' <> ''
    ORDER BY order_id FOR UPDATE)
  AND NOT EXISTS (SELECT FROM parcels AS p WHERE p.order_id = d.order_id AND p.state IN ({_MOVING}))
  AND (d.stopped OR d.picks IS NOT NULL)
"""),  # noqa: S608 - constants of this file and of the rules
    database.Statement(f"""
UPDATE parcels AS p SET address = p.{_BLANK}
WHERE id IN (SELECT id FROM parcels WHERE user_id = ANY(%(users)s::uuid[]) AND address ->> 'line1' <> ''
    AND state NOT IN ({_MOVING}) ORDER BY order_id, id FOR UPDATE)
"""),  # noqa: S608 - as above
)
_STOP = database.Lookup("UPDATE deliveries SET stopped = true WHERE order_id = ANY(%(ids)s::uuid[])", by="ids")
_WRITTEN = (*_COLUMNS, "traceparent")
_GIVEN = database.given(PARCELS, *_WRITTEN)
# A new parcel is due at once: its label is to be bought.
_INSERT_PARCELS = database.Statement(
    insert(PARCELS)
    .from_select([*_WRITTEN, "next_try_at"], select(_GIVEN, func.clock_timestamp()))
    .on_conflict_do_nothing()
    .returning(_P.id)
)
# A parcel that moved is due after `wait` seconds (null: not at all), counts its attempts anew and belongs to no worker any more.
# One about which the same is still being asked keeps its lease, also when its order is cancelled meanwhile. One that
# travels on stays due when its claim said, or at once by a webhook that came behind the answer.
_SAVE = database.Statement("""
UPDATE parcels AS p SET state = g.state, carrier = g.carrier, reference = g.reference, tracking_number = g.tracking_number,
  tracking_url = g.tracking_url, label_url = g.label_url, failure_reason = g.failure_reason, scans = g.scans,
  version = g.version, update_time = g.update_time, traceparent = coalesce(nullif(g.traceparent, ''), p.traceparent),
  next_try_at = CASE WHEN g.same_call THEN p.next_try_at ELSE clock_timestamp() + make_interval(secs => g.wait) END,
  attempts = CASE WHEN g.same_call THEN p.attempts ELSE 0 END,
  epoch = CASE WHEN g.same_call THEN p.epoch ELSE p.epoch + 1 END
FROM unnest(%(id)s::uuid[], %(state)s::text[], %(carrier)s::text[], %(reference)s::text[], %(tracking_number)s::text[],
  %(tracking_url)s::text[], %(label_url)s::text[], %(failure_reason)s::text[], %(scans)s::int[], %(version)s::bigint[],
  %(update_time)s::timestamptz[], %(traceparent)s::text[], %(same_call)s::boolean[], %(wait)s::float8[])
  AS g(id, state, carrier, reference, tracking_number, tracking_url, label_url, failure_reason, scans, version, update_time,
    traceparent, same_call, wait)
WHERE p.id = g.id
""")
_LOCK = database.Lookup(
    select(*SHOWN)
    .where(_P.order_id == bindparam("order_ids", type_=ARRAY(ID)).any_())
    .order_by(_P.order_id, _P.id)
    .with_for_update(),
    by="order_ids",
)
_OF_ORDERS = database.Lookup(
    select(*SHOWN)
    .where(_P.order_id == bindparam("order_ids", type_=ARRAY(ID)).any_())
    .order_by(_P.order_id, _P.warehouse),
    by="order_ids",
)
_OF_RETURN = database.Statement(
    select(*SHOWN).where(_P.return_id == bindparam("return_id"), _P.return_id != "").order_by(_P.warehouse)
)
_FIND = database.Statement(select(*SHOWN).where(_P.id == bindparam("id", type_=ID)))
_INSERT_EVENTS = database.Statement(database.insert_given(EVENTS, *_EVENT_COLUMNS))
_HISTORY = database.Lookup(
    select(EVENTS).where(_E.parcel_id == bindparam("ids", type_=ARRAY(ID)).any_()).order_by(_E.parcel_id, _E.sequence),
    by="ids",
)


async def note(transaction: database.Transaction, said: Sequence[deliveries.Said]) -> dict[str, deliveries.Delivery]:
    """Write down what is said of these orders, at most one thing each: what is known of them by now, locked."""
    rows = [_noted(item) for item in said]
    given = {name: [row[name] for row in rows] for name in rows[0]}
    return {row[0]: _delivery(row) for row in await transaction.run(_NOTE, given)}


async def stop(transaction: database.Transaction, order_ids: Sequence[str]) -> None:
    """No parcel of these orders, whose rows are locked by `note`, is opened any more."""
    if order_ids:
        await transaction.run(_STOP, {"ids": list(order_ids)})


async def add(transaction: database.Transaction, new: Sequence[parcels.Parcel]) -> None:
    """Write new parcels, with the first entries of their histories."""
    if new:
        await transaction.run(_INSERT_PARCELS, _new_rows(new))
        await _append(transaction, [parcels.opened(parcel) for parcel in new])


async def lock(transaction: database.Transaction, order_ids: Sequence[str]) -> dict[str, list[parcels.Parcel]]:
    """All parcels of these orders, by order, locked until the transaction ends. Orders without any are absent."""
    if not order_ids:
        return {}
    return _by_order(await transaction.run(_LOCK, {"order_ids": list(order_ids)}))


async def save(transaction: database.Transaction, moved: Sequence[parcels.Advance], *, track_s: float) -> None:
    """Write what became of parcels that `lock` locked. One that travels is asked about again after track_s seconds."""
    if not moved:
        return
    after = [advance.parcel for advance in moved]
    rows = database.columns(after, "id", "state", "failure_reason", "scans", "version", "update_time") | {
        **_label_rows(after),
        "traceparent": _traces(after),
        "same_call": [_asks_the_same(advance.before, advance.parcel) for advance in moved],
        "wait": [_wait(parcel, track_s) for parcel in after],
    }
    await transaction.run(_SAVE, rows)
    await _append(transaction, [entry for advance in moved for entry in advance.entries])


async def find(db: database.Database, parcel_id: str) -> parcels.Parcel | None:
    """The parcel with this id."""
    rows = await db.read(_FIND, {"id": parcel_id})
    return parcel_of(rows[0]) if rows else None


async def of_order(db: database.Database, order_id: str) -> list[parcels.Parcel]:
    """The parcels of an order, by warehouse."""
    return [parcel_of(row) for row in await db.read(_OF_ORDERS, {"order_ids": [order_id]})]


async def of_return(db: database.Database, return_id: str) -> list[parcels.Parcel]:
    """The parcels that bring a return back, by warehouse."""
    return [parcel_of(row) for row in await db.read(_OF_RETURN, {"return_id": return_id})]


async def histories(db: database.Database, parcel_ids: Sequence[str]) -> dict[str, list[parcels.Entry]]:
    """The histories of these parcels, by parcel, oldest first."""
    if not parcel_ids:
        return {}
    rows = await db.read(_HISTORY, {"ids": list(parcel_ids)})
    return {
        parcel_id: [parcels.Entry(row[0], row[1], parcels.State(row[2]), *row[3:]) for row in found]
        for parcel_id, found in itertools.groupby(rows, key=operator.itemgetter(0))
    }


def parcel_of(row: database.Row) -> parcels.Parcel:
    """The parcel in a row that begins with what `SHOWN` selects."""
    parcel_id, order_id, user_id, warehouse, state, lines, address = row[:7]
    carrier, reference, tracking_number, tracking_url, label_url, failure_reason, scans, version = row[7:15]
    return parcels.Parcel(
        id=parcel_id,
        order_id=order_id,
        user_id=user_id,
        warehouse=warehouse,
        state=parcels.State(state),
        lines=tuple(parcels.Line(**line) for line in lines),
        address=parcels.Address(**address),
        create_time=row[15],
        update_time=row[16],
        label=parcels.Label(carrier, reference, tracking_number, tracking_url, label_url),
        failure_reason=failure_reason,
        scans=scans,
        version=version,
        vendor_id=row[17],
        service_level=row[18],
        return_id=row[19],
    )


async def _append(transaction: database.Transaction, entries: Sequence[parcels.Entry]) -> None:
    await transaction.run(_INSERT_EVENTS, database.columns(entries, *_EVENT_COLUMNS))


def _asks_the_same(before: parcels.Parcel, after: parcels.Parcel) -> bool:
    """Whether the carrier is asked the same about a parcel as before: to do this about its label, or where it is."""
    if after.verb:
        return after.verb is before.verb and after.label == before.label
    return {before.state, after.state} <= parcels.FOLLOWED


def _wait(parcel: parcels.Parcel, track_s: float) -> float | None:
    """Seconds until the carrier is to be asked about it: at once about a label, and to tell it of what it was handed over."""
    if parcel.verb or parcel.state is parcels.State.HANDED_OVER:
        return 0.0
    return track_s if parcel.state in parcels.FOLLOWED else None


def _noted(said: deliveries.Said) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(("user_id", "address", "confirm_time", "picks", "terms")) | {
        "order_id": said.order_id
    }
    if isinstance(said, deliveries.Confirmation):
        address = Jsonb(asdict(said.address))
        terms = Jsonb(asdict(said.terms))
        return row | {"user_id": said.user_id, "address": address, "confirm_time": said.confirm_time, "terms": terms}
    if isinstance(said, deliveries.Picks):
        return row | {"picks": Jsonb([asdict(pick) for pick in said.picks])}
    return row


def _delivery(row: database.Row) -> deliveries.Delivery:
    order_id, user_id, address, confirm_time, picks, stopped, terms = row
    return deliveries.Delivery(
        order_id=order_id,
        user_id=user_id,
        address=parcels.Address(**address) if address else None,
        confirm_time=confirm_time,
        picks=tuple(deliveries.Pick(**pick) for pick in picks or ()),
        stopped=stopped,
        terms=deliveries.Terms(**terms) if terms else deliveries.Terms(),
    )


def _new_rows(new: Sequence[parcels.Parcel]) -> dict[str, list[Any]]:
    plain = ("id", "order_id", "user_id", "warehouse", "state", "failure_reason", "scans", "version", "vendor_id")
    return database.columns(new, *plain, "create_time", "update_time", "service_level", "return_id") | {
        **_label_rows(new),
        "lines": [Jsonb([asdict(line) for line in parcel.lines]) for parcel in new],
        "address": [Jsonb(asdict(parcel.address)) for parcel in new],
        "traceparent": _traces(new),
    }


def _label_rows(items: Sequence[parcels.Parcel]) -> dict[str, list[str]]:
    labels = [parcel.label for parcel in items]
    return database.columns(labels, "carrier", "reference", "tracking_number", "tracking_url") | {
        "label_url": [label.url for label in labels]
    }


def _traces(items: Sequence[parcels.Parcel]) -> list[str]:
    """The traces that these parcels are written in: the carrier is called later, and by others."""
    origin = tracing.origin()
    return [origin.traceparent(parcel.order_id) for parcel in items]


def _by_order(rows: Sequence[database.Row]) -> dict[str, list[parcels.Parcel]]:
    found: dict[str, list[parcels.Parcel]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(parcel_of(row))
    return found
