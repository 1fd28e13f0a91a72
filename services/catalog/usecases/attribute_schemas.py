"""What can be done with categories' schemas.

A schema is one row, written in one transaction: if the process dies before the commit nothing happened, after it the
repeated request finds what it made. It holds for whoever writes a product from then on; a product of before stays as it is
and readable, and its next update must comply.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.catalog.domain import attribute_schemas
from services.catalog.store import attribute_schemas as store
from services.chassis import clock, database, errors


class AttributeSchemas:
    """The use cases of categories' schemas."""

    def __init__(self, db: database.Database, *, now: clock.Clock) -> None:
        self._db = db
        self._now = now

    async def in_force(self, category: str) -> Sequence[attribute_schemas.Schema]:
        """What products of a category must comply with, from the top category down. Raises CATEGORY_NOT_FOUND."""
        found = await store.in_force(self._db.read, [category])
        if category not in found:
            raise _not_found(category)
        return found[category]

    async def set(self, wanted: attribute_schemas.Wanted) -> attribute_schemas.Schema:
        """Give a category another schema; a repeated request finds what its first made.

        Raises ATTRIBUTE_SCHEMA_INVALID, CATEGORY_NOT_FOUND or VERSION_CHANGED.
        """
        attribute_schemas.check_schema(wanted.text)
        async with self._db.transaction() as transaction:
            if not await store.lock_category(transaction, wanted.category):
                raise _not_found(wanted.category)
            present = await _present(transaction, wanted.category, self._now())
            if attribute_schemas.is_repetition(present, wanted):
                return present
            if present.version != wanted.version:
                raise attribute_schemas.version_changed(present)
            made = attribute_schemas.Schema(wanted.category, wanted.text, present.version + 1, self._now())
            await store.insert(transaction, made, wanted.actor)
        return made


async def check(transaction: database.Transaction, category: str, attributes: Mapping[str, str]) -> None:
    """Raise CATEGORY_UNKNOWN, or ATTRIBUTES_INVALID unless a product of this category may have these attributes."""
    found = await store.in_force(transaction.run, [category])
    if category not in found:
        raise errors.precondition("CATEGORY_UNKNOWN", "the category does not exist", category=category)
    attribute_schemas.check(found[category], attributes)


async def _present(transaction: database.Transaction, category: str, now: datetime) -> attribute_schemas.Schema:
    in_force = (await store.in_force(transaction.run, [category])).get(category, ())
    own = [schema for schema in in_force if schema.category == category]
    return own[0] if own else attribute_schemas.Schema(category, attribute_schemas.NOTHING, 0, now)


def _not_found(category: str) -> errors.DomainError:
    return errors.not_found("CATEGORY_NOT_FOUND", "the category does not exist", category=category)
