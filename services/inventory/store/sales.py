"""What was sold of a SKU on which days, and what is on its way."""

from datetime import date, datetime, timedelta

from services.chassis import database

# Stock that is sold is a movement. What came back was asked for all the same.
_SOLD = database.Statement("""
SELECT (time AT TIME ZONE 'UTC')::date, (-sum(delta))::bigint FROM movements
WHERE sku = %(sku)s AND reason = 'sold' AND time >= %(since)s AND time < %(until)s GROUP BY 1
""")
_FIRST = database.Statement("SELECT time FROM movements WHERE sku = %(sku)s ORDER BY id LIMIT 1")
_ARRIVING = database.Statement("""
SELECT greatest((s.expected_time AT TIME ZONE 'UTC')::date, %(today)s), sum(l.quantity - l.received)::bigint
FROM supply_lines AS l JOIN supplies AS s ON s.id = l.supply_id
WHERE l.sku = %(sku)s AND l.received < l.quantity AND s.state = 'UNDER_WAY' AND s.expected_time IS NOT NULL GROUP BY 1
""")


async def sold(db: database.Database, sku: str, since: datetime, until: datetime) -> dict[date, int]:
    """How many of a SKU orders took, by day; days without any are absent."""
    return dict(await db.read(_SOLD, {"sku": sku, "since": since, "until": until}))


async def first_seen(db: database.Database, sku: str) -> datetime | None:
    """When a SKU first moved."""
    rows = await db.read(_FIRST, {"sku": sku})
    return rows[0][0] if rows else None


async def arriving(db: database.Database, sku: str, today: date) -> dict[int, int]:
    """What is expected of a SKU, by days from today. What is late is expected today; what has no date is not."""
    found = await db.read(_ARRIVING, {"sku": sku, "today": today})
    return {(day - today) // timedelta(days=1): quantity for day, quantity in found}
