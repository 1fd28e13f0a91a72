"""The rows of what orders count for, in two slots: added to in bulk, and read as what goes together and what trends."""

from collections.abc import Mapping, Sequence

from services.chassis import database
from services.recommendation import domain

_ADD_ITEMS = database.Statement("""
INSERT INTO item_counts AS i (slot, period, product, orders, heat)
SELECT %(slot)s, * FROM unnest(%(period)s::integer[], %(product)s::integer[], %(orders)s::bigint[], %(heat)s::float8[])
ON CONFLICT (slot, period, product) DO UPDATE SET orders = i.orders + excluded.orders,
  -- As `weights.hotter`: what is 60 powers of two less adds nothing, and exp() refuses an argument that is far below.
  heat = greatest(i.heat, excluded.heat) + ln(1 + exp(-ln(2::float8) * least(60, abs(i.heat - excluded.heat)))) / ln(2::float8)
""")
_ADD_PAIRS = database.Statement("""
INSERT INTO pair_counts AS p (slot, period, low, high, orders)
SELECT %(slot)s, * FROM unnest(%(period)s::integer[], %(low)s::integer[], %(high)s::integer[], %(orders)s::integer[])
ON CONFLICT (slot, period, low, high) DO UPDATE SET orders = p.orders + excluded.orders
""")
_ADD_ORDERS = database.Statement("""
INSERT INTO order_counts AS o (slot, period, orders)
SELECT %(slot)s, * FROM unnest(%(period)s::integer[], %(orders)s::bigint[])
ON CONFLICT (slot, period) DO UPDATE SET orders = o.orders + excluded.orders
""")
_SLOT = "(SELECT slot FROM model)"
# Of a product that goes with very many others, the most frequent ones are looked at.
_TOGETHER = database.Statement(f"""
WITH beside AS (
  SELECT a.product, n.other, n.shared FROM unnest(%(products)s::integer[]) AS a(product) CROSS JOIN LATERAL (
    SELECT other, sum(orders)::bigint AS shared FROM (
      SELECT p.high AS other, p.orders FROM pair_counts AS p
      WHERE p.slot = {_SLOT} AND p.period = ANY(%(periods)s::integer[]) AND p.low = a.product
      UNION ALL
      SELECT p.low, p.orders FROM pair_counts AS p
      WHERE p.slot = {_SLOT} AND p.period = ANY(%(periods)s::integer[]) AND p.high = a.product) AS each
    GROUP BY other HAVING sum(orders) >= %(fewest)s ORDER BY shared DESC, other LIMIT %(most)s) AS n),
counted AS (
  SELECT i.product, sum(i.orders)::bigint AS orders FROM item_counts AS i
  WHERE i.slot = {_SLOT} AND i.period = ANY(%(periods)s::integer[])
    AND i.product IN (SELECT product FROM beside UNION SELECT other FROM beside)
  GROUP BY i.product)
SELECT b.product, b.other, b.shared, one.orders, two.orders
FROM beside AS b JOIN counted AS one ON one.product = b.product JOIN counted AS two ON two.product = b.other
""")  # noqa: S608 - only texts of this module are put in
_ORDERS = database.Statement(f"""
SELECT coalesce(sum(orders), 0)::bigint FROM order_counts WHERE slot = {_SLOT} AND period = ANY(%(periods)s::integer[])
""")  # noqa: S608 - only texts of this module are put in
# Whether they can be ordered is asked of some times as many as are wanted, not of all.
_HOT = database.Statement(f"""
SELECT i.product, i.heat FROM unnest(%(periods)s::integer[]) AS g(period) CROSS JOIN LATERAL (
  SELECT c.product, c.heat FROM (
    SELECT product, heat FROM item_counts WHERE slot = {_SLOT} AND period = g.period
    ORDER BY heat DESC LIMIT 10 * %(most)s) AS c
  WHERE EXISTS (
    SELECT FROM products AS p JOIN skus AS k ON k.product = p.number JOIN levels AS l USING (sku)
    WHERE p.number = c.product AND NOT p.deleted AND k.listed AND l.available > 0)
  ORDER BY c.heat DESC LIMIT %(most)s) AS i
""")  # noqa: S608 - only texts of this module are put in
_CLEAR = {slot: database.Statement(f"TRUNCATE item_counts_{slot}, pair_counts_{slot}") for slot in (0, 1)}
_CLEAR_ORDERS = database.Statement("DELETE FROM order_counts WHERE slot = %(slot)s")
# Of each partition by itself: rows are found by index, and deleted where they are.
_PURGE = [
    database.Statement(f"""
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
  SELECT ctid FROM {table} WHERE slot = {slot} AND period < %(before)s LIMIT %(most)s)) RETURNING 1
""")  # noqa: S608 - only texts of this module are put in
    for slot in (0, 1)
    for table in (f"item_counts_{slot}", f"pair_counts_{slot}", "order_counts")
]


async def add(transaction: database.Transaction, slot: int, counts: domain.Counts) -> None:
    """Add what orders count for; the rows are locked in one order, those that everybody writes last."""
    items = sorted(counts.items.items())
    row = {
        "period": [key[0] for key, _ in items],
        "product": [key[1] for key, _ in items],
        "orders": [tally.orders for _, tally in items],
        "heat": [tally.heat for _, tally in items],
    }
    await transaction.run(_ADD_ITEMS, row | {"slot": slot})
    if counts.pairs:
        await transaction.run(_ADD_PAIRS, _pair_columns(counts) | {"slot": slot})
    orders = sorted(counts.orders.items())
    totals = {"period": [number for number, _ in orders], "orders": [count for _, count in orders]}
    await transaction.run(_ADD_ORDERS, totals | {"slot": slot})


def _pair_columns(counts: domain.Counts) -> dict[str, list[int]]:
    pairs = sorted(counts.pairs.items())
    return {
        "period": [key[0] for key, _ in pairs],
        "low": [key[1] for key, _ in pairs],
        "high": [key[2] for key, _ in pairs],
        "orders": [both for _, both in pairs],
    }


async def clear(transaction: database.Transaction, slot: int) -> None:
    """Nothing is counted in this slot, which nobody reads."""
    await transaction.run(_CLEAR[slot])
    await transaction.run(_CLEAR_ORDERS, {"slot": slot})


async def together(
    db: database.Database, products: Sequence[int], periods: Sequence[int], *, most: int
) -> Mapping[int, list[domain.Together]]:
    """What each of the products was bought with, at most so many, the most frequent ones."""
    row = {"products": list(products), "periods": list(periods), "fewest": domain.FEWEST_TOGETHER, "most": most}
    found: dict[int, list[domain.Together]] = {product: [] for product in products}
    for each in await db.read(_TOGETHER, row):
        found[each[0]].append(domain.Together(*each))
    return found


async def orders(db: database.Database, periods: Sequence[int]) -> int:
    """How many orders are counted in these periods."""
    return int((await db.read(_ORDERS, {"periods": list(periods)}))[0][0])


async def hot(db: database.Database, periods: Sequence[int], *, most: int) -> list[tuple[int, float]]:
    """The hottest products of each period that can be ordered, with their heat in it."""
    rows = await db.read(_HOT, {"periods": list(periods), "most": most})
    return [(product, heat) for product, heat in rows]


async def purge(db: database.Database, *, before: int, most: int) -> int:
    """Delete some counts of periods before this one: how many rows."""
    return sum([len(await db.read(statement, {"before": before, "most": most})) for statement in _PURGE])
