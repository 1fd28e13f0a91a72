"""The rows of categories' schemas. Every version is kept; the greatest is in force."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Table, Text

from services.catalog import store
from services.catalog.domain import attribute_schemas
from services.catalog.domain.attribute_schemas import Schema
from services.chassis import database
from services.chassis.schema import TIME

# Runs a statement, in a transaction or without one.
Run: TypeAlias = Callable[[database.Statement, database.Parameters], Awaitable[list[database.Row]]]

CATEGORY_SCHEMAS = Table(
    "category_schemas",
    store.METADATA,
    Column("category", Text, ForeignKey("categories.slug"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    # JSON and not JSONB: whoever reads it sees it as it was written.
    Column("json_schema", JSON, nullable=False),
    Column("actor", Text, nullable=False),
    Column("create_time", TIME, nullable=False),
)

# From the top down; a category that has none, nor any above it, has one row without a schema.
_IN_FORCE = """
WITH RECURSIVE above AS (
  SELECT slug AS leaf, slug, parent, 0 AS levels FROM categories WHERE slug = ANY(%(slugs)s::text[])
  UNION ALL
  SELECT a.leaf, c.slug, c.parent, a.levels + 1 FROM above AS a JOIN categories AS c ON c.slug = a.parent
)
SELECT a.leaf, s.category, s.json_schema::text, s.version, s.create_time
FROM above AS a LEFT JOIN LATERAL (
  SELECT s.category, s.json_schema, s.version, s.create_time FROM category_schemas AS s
  WHERE s.category = a.slug ORDER BY s.version DESC LIMIT 1
) AS s ON true
WHERE s.version IS NOT NULL OR a.levels = 0
ORDER BY a.leaf, a.levels DESC
"""
_OF_CATEGORIES = database.Lookup(_IN_FORCE, by="slugs")
# Against other changes of its schema; products that refer to it go on.
_LOCK_CATEGORY = database.Statement("SELECT 1 FROM categories WHERE slug = %(slug)s FOR NO KEY UPDATE")
_INSERT = database.Statement("""
INSERT INTO category_schemas (category, version, json_schema, actor, create_time)
VALUES (%(category)s, %(version)s, %(text)s::json, %(actor)s, %(now)s)
""")


async def in_force(run: Run, slugs: Iterable[str]) -> dict[str, tuple[Schema, ...]]:
    """What products of these categories must comply with, from the top category down. Unknown categories are absent."""
    found: dict[str, tuple[Schema, ...]] = {}
    for leaf, *schema in await run(_OF_CATEGORIES, {"slugs": list(slugs)}):
        found[leaf] = (*found.get(leaf, ()), *_schemas(schema))
    return found


async def lock_category(transaction: database.Transaction, slug: str) -> bool:
    """Let nobody else change this category's schema until the transaction ends. Whether there is such a category."""
    return bool(await transaction.run(_LOCK_CATEGORY, {"slug": slug}))


async def insert(transaction: database.Transaction, schema: Schema, actor: str) -> None:
    """Write a version of a category that is locked."""
    row = {"category": schema.category, "version": schema.version, "text": schema.text, "actor": actor}
    await transaction.run(_INSERT, row | {"now": schema.update_time})


def _schemas(row: list[Any]) -> tuple[Schema, ...]:
    return (attribute_schemas.Schema(*row),) if row[0] is not None else ()
