"""The rows of `renamed_categories`: how far the products of a category are written anew because of its title.

`store.put_categories` makes them, in the transaction that changes the title.
"""

from dataclasses import dataclass

from services.chassis import database

_RENAMED = "SELECT slug, after_product FROM renamed_categories"
_SOME_RENAMED = database.Statement(f"{_RENAMED} ORDER BY slug LIMIT 1")
_LOCK_RENAMED = database.Statement(f"{_RENAMED} WHERE slug = %(slug)s FOR UPDATE")
_SHELVED = database.Statement("""
SELECT DISTINCT d.product_id FROM documents AS d
WHERE d.category = %(slug)s AND d.product_id > coalesce(nullif(%(after)s, '')::uuid, '00000000-0000-0000-0000-000000000000')
  AND d.slot IN (SELECT slot FROM indexes WHERE state <> 'RETIRED') AND NOT d.deleted
ORDER BY d.product_id LIMIT %(most)s
""")
_ADVANCE_RENAMED = database.Statement("UPDATE renamed_categories SET after_product = %(after)s WHERE slug = %(slug)s")
_FORGET_RENAMED = database.Statement("DELETE FROM renamed_categories WHERE slug = %(slug)s")


@dataclass(frozen=True, slots=True)
class Renamed:
    """A category whose documents are written anew, from behind this product on, because of its title."""

    slug: str
    after_product: str


async def some(db: database.Database) -> Renamed | None:
    """One of the categories whose documents are to be written anew."""
    rows = await db.read(_SOME_RENAMED)
    return Renamed(*rows[0]) if rows else None


async def lock(transaction: database.Transaction, slug: str) -> Renamed | None:
    """How far this category is, which nobody else advances until the transaction ends."""
    rows = await transaction.run(_LOCK_RENAMED, {"slug": slug})
    return Renamed(*rows[0]) if rows else None


async def shelved(db: database.Database, reached: Renamed, most: int) -> list[str]:
    """The next products of a renamed category."""
    row = {"slug": reached.slug, "after": reached.after_product, "most": most}
    return [product_id for [product_id] in await db.read(_SHELVED, row)]


async def advance(transaction: database.Transaction, slug: str, after_product: str) -> None:
    """A locked category is done as far as this product; with an empty one, to the end."""
    row = {"slug": slug, "after": after_product}
    await transaction.run(_ADVANCE_RENAMED if after_product else _FORGET_RENAMED, row)
