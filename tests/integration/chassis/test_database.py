"""Lists cross into PostgreSQL and come back the same, whatever is in them; a transaction is all or nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from services.chassis import arrays, clock, database
from services.chassis.outbox import outbox
from tests.support import postgres

# Whose database is made for this module (tests/integration/conftest.py).
SERVICE = "inventory"

TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


@pytest_asyncio.fixture
async def db(database_url: str) -> AsyncIterator[database.Database]:
    async with postgres.opened(database_url, {}) as opened:
        yield opened


class Colour(StrEnum):
    RED = "RED"


MOMENT = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text[]", ["", "NULL", "null", 'say "hi"', "back\\slash", "{a,b}", "new\nline", "é😀", " ", None, Colour.RED]),
        ("bigint[]", [0, -1, 2**62, None]),
        ("float8[]", [0.1, 1e300, None]),
        ("boolean[]", [True, False, None]),
        ("bytea[]", [b"", b'\x00\xff\\"', None]),
        ("timestamptz[]", [MOMENT, None]),
        ("jsonb[]", [Jsonb({"a": ['"', "\\", 1]}), Jsonb([]), None]),
        ("uuid[]", ["01900000-0000-7000-8000-000000000001", None]),
        ("text[]", []),
    ],
)
async def test_a_list_comes_back_as_it_was(db: database.Database, kind: str, values: list[Any]) -> None:
    [[back]] = await db.read(database.Statement(f"SELECT %(values)s::{kind}"), {"values": values})
    assert back == [value.obj if isinstance(value, Jsonb) else value for value in values]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=TEXTS)
async def test_any_text_comes_back_as_it_was(db: database.Database, values: list[str | None]) -> None:
    [[back]] = await db.read(database.Statement("SELECT %(values)s::text[]"), {"values": values})
    assert back == values


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no array of set"):
        arrays.literal([set()])


WAREHOUSES = database.Lookup("SELECT id FROM warehouses WHERE id = ANY(%(ids)s::text[]) ORDER BY id", by="ids")
# What the server keeps of a statement on this connection: how often it was planned for its values, and how often not.
KEPT = database.Statement("""
SELECT generic_plans, custom_plans FROM pg_prepared_statements
WHERE statement LIKE 'SELECT id FROM warehouses WHERE id = $1::text %'
""")


async def test_a_lookup_finds_the_same_for_one_key_and_for_many(db: database.Database) -> None:
    insert = "INSERT INTO warehouses (id, title, preference) SELECT id, '', 0 FROM unnest(%(ids)s::text[]) AS g(id)"
    await db.read(database.Statement(f"{insert} ON CONFLICT DO NOTHING"), {"ids": ["a", "b", "c"]})
    for keys, found in ((["b"], ["b"]), (["c", "a"], ["a", "c"]), ([], []), (["z"], []), (["a", "a"], ["a"])):
        assert await db.read(WAREHOUSES, {"ids": keys}) == [(key,) for key in found]


async def test_a_lookup_of_one_key_is_not_planned_at_each_call(database_url: str) -> None:
    db = database.Database(database_url, outbox.Outbox({}, clock.utc_now, lambda: None), pool_size=1)
    await db.start()
    try:
        for number in range(30):
            await db.read(WAREHOUSES, {"ids": [str(number)]})
        [[generic, custom]] = await db.read(KEPT)
    finally:
        await db.stop()
    assert custom <= 6, "PostgreSQL plans five times before it decides"
    assert generic >= 15


def test_a_lookup_without_the_array_it_names_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not compared"):
        database.Lookup("SELECT 1 WHERE 1 = ANY(%(ids)s)", by="ids").bound({"ids": [1]})
