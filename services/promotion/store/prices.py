"""Promotional prices, each a row."""

from services.chassis import database, money, pages
from services.promotion.domain import promotions
from services.promotion.domain.prices import PromotionalPrice, Terms

_COLUMNS = """id, product_id, sku, currency, price, title, start_local, end_local, time_zone, start_time, end_time,
  create_time, version"""
_INSERT = database.Statement(f"""
INSERT INTO promotional_prices ({_COLUMNS})
VALUES (%(id)s, %(product_id)s, %(sku)s, %(currency)s, %(price)s, %(title)s, %(start_local)s, %(end_local)s, %(time_zone)s,
  %(start_time)s, %(end_time)s, %(create_time)s, %(version)s)
""")  # noqa: S608 - all parts are constants of this room
_ONE = f"SELECT {_COLUMNS} FROM promotional_prices WHERE id = %(id)s::uuid"  # noqa: S608 - as above
_BY_ID = database.Statement(_ONE)
_LOCK = database.Statement(f"{_ONE} FOR UPDATE")
_PAGE = f"SELECT {_COLUMNS} FROM promotional_prices WHERE id < %(before)s::uuid"  # noqa: S608 - as above
_LATEST = "ORDER BY id DESC LIMIT %(most)s"
_PAGE_OF_ALL = database.Statement(f"{_PAGE} {_LATEST}")
_PAGE_OF_PRODUCT = database.Statement(f"{_PAGE} AND product_id = %(product_id)s::uuid {_LATEST}")
_END = database.Statement("""
UPDATE promotional_prices SET end_time = %(end_time)s, version = %(version)s WHERE id = %(id)s::uuid
""")


def _price(row: database.Row) -> PromotionalPrice:
    price_id, product_id, sku, currency, amount, title, start, end, zone, start_time, end_time, create_time, version = (
        row
    )
    terms = Terms(money.Money(currency, amount), title, promotions.Window(start, end, zone))
    return PromotionalPrice(price_id, product_id, sku, terms, start_time, end_time, create_time, version)


async def insert_price(transaction: database.Transaction, price: PromotionalPrice) -> None:
    """Write a new promotional price."""
    names = ("id", "product_id", "sku", "start_time", "end_time", "create_time", "version")
    terms, window = price.terms, price.terms.window
    said = {"currency": terms.price.currency, "price": terms.price.amount, "title": terms.title}
    when = {"start_local": window.start_local, "end_local": window.end_local, "time_zone": window.time_zone}
    await transaction.run(_INSERT, {name: getattr(price, name) for name in names} | said | when)


async def end_price(transaction: database.Transaction, price: PromotionalPrice) -> None:
    """Write the end of a promotional price that was locked."""
    row = {"id": price.id, "end_time": price.end_time, "version": price.version}
    await transaction.run(_END, row)


async def price(db: database.Database, price_id: str) -> PromotionalPrice | None:
    """The promotional price with this id."""
    return next(map(_price, await db.read(_BY_ID, {"id": price_id})), None)


async def lock_price(transaction: database.Transaction, price_id: str) -> PromotionalPrice | None:
    """The same, locked until the transaction ends."""
    return next(map(_price, await transaction.run(_LOCK, {"id": price_id})), None)


async def price_page(db: database.Database, product_id: str, page: pages.Page) -> list[PromotionalPrice]:
    """Promotional prices of a product (empty: of all), newest first: up to one more than the page shows."""
    values = {"before": page.after or pages.LAST_ID, "most": page.size + 1}
    if product_id:
        rows = await db.read(_PAGE_OF_PRODUCT, values | {"product_id": product_id})
    else:
        rows = await db.read(_PAGE_OF_ALL, values)
    return [_price(row) for row in rows]
