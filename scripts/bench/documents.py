"""Attributes of products as JSONB, beside plain columns: what decision 024 is measured with.

    make run; set -a; . .souk/env; set +a
    python -m scripts.bench.documents [--products 100000]

Makes two databases of its own on the stack's PostgreSQL, with the tables of the catalog and of search as their migrations make
them, fills both, measures, prints JSON, and drops them. Times are of one connection from Python, commits with fsync.
"""

import argparse
import functools
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from scripts.stack import layout

BATCH = 500
SAMPLES = 300
# Each product has these twelve, with so many values in all.
VALUES = {
    "brand": 500, "colour": 12, "material": 40, "size": 8, "origin": 60, "care": 25, "style": 30, "season": 4, "fit": 6,
    "pattern": 20, "warranty": 5, "weight": 400,
}  # fmt: skip
FILTERS: dict[str, tuple[str, ...]] = {
    "one value in 500": ("brand",),
    "one in 12": ("colour",),
    "two attributes": ("material", "size"),
}
PLAIN = f"""
CREATE TABLE plain (
  id uuid PRIMARY KEY, title text NOT NULL, description text NOT NULL, category text NOT NULL, vendor_id uuid,
  create_time timestamptz NOT NULL, update_time timestamptz NOT NULL, version bigint NOT NULL,
  popularity bigint NOT NULL DEFAULT 0,
  {", ".join(f"{name} text" for name in VALUES)});
CREATE INDEX ON plain (category, id); CREATE INDEX ON plain (vendor_id, id);
CREATE INDEX ON plain (lower(title) text_pattern_ops); CREATE INDEX ON plain (popularity, id);
{"".join(f"CREATE INDEX ON plain ({name});" for name in VALUES)}
"""
COMMON = "id, title, description, category, create_time, update_time, version"
GIVEN = "%(id)s, %(title)s, %(description)s, 'goods', now(), now(), 1"
INTO_CATALOG = f"INSERT INTO products ({COMMON}, attributes) VALUES ({GIVEN}, %(document)s)"  # noqa: S608 - our own words
_GIVEN_PLAIN = ", ".join(f"%({name})s" for name in VALUES)
INTO_PLAIN = f"INSERT INTO plain ({COMMON}, {', '.join(VALUES)}) VALUES ({GIVEN}, {_GIVEN_PLAIN})"  # noqa: S608 - the same
INTO_SEARCH = """
INSERT INTO documents (slot, product_id, version, deleted, title, title_words, description, category, image, attributes, skus,
  currencies, amounts, earlier, facets, in_stock, popularity, terms)
VALUES ('a', %(id)s, 1, false, %(title)s, lower(%(title)s), %(description)s, 'goods', '', %(document)s, ARRAY[%(title)s],
  '{USD}', '{1250}', '{0}', %(facets)s, true, %(popularity)s, to_tsvector('souk', %(title)s || ' ' || %(words)s))
"""
UPDATES = {
    "jsonb": "UPDATE products SET attributes = attributes || %(change)s, version = version + 1 WHERE id = %(id)s",
    "plain": "UPDATE plain SET colour = %(colour)s, version = version + 1 WHERE id = %(id)s",
}
ON_DOCUMENT = "CREATE INDEX by_document ON documents_a USING gin (attributes jsonb_path_ops)"
_READ = "SELECT product_id FROM documents WHERE slot = 'a' AND NOT deleted AND "
_FIRST = " ORDER BY popularity DESC, product_id LIMIT 20"


@dataclass(frozen=True, slots=True)
class Database:
    """One of the two: a connection, and what is measured on it."""

    connection: psycopg.Connection[Any]

    def one(self, sql: str, row: Mapping[str, Any] | None = None) -> Any:
        """The first value of the first row."""
        found = self.connection.execute(sql, row).fetchone()
        return found[0] if found else None

    def filled(self, statement: str, rows: Iterator[Mapping[str, Any]]) -> float:
        """Rows a second, in transactions of 500; making the rows is not counted."""
        count, taken = 0, 0.0
        while batch := list(itertools.islice(rows, BATCH)):
            taken += _seconds(functools.partial(self._insert, statement, batch))
            count += len(batch)
        return round(count / taken)

    def _insert(self, statement: str, batch: Sequence[Mapping[str, Any]]) -> None:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(statement, batch)

    def size(self, table: str) -> dict[str, float]:
        """MiB of a table, with what it keeps beside it, and of its indexes; 0 for what it inherits."""
        sql = "SELECT pg_table_size(%(t)s::regclass), pg_indexes_size(%(t)s::regclass)"
        found = self.connection.execute(sql, {"t": table}).fetchone() or (0, 0)
        return {"table": round(found[0] / 2**20, 1), "indexes": round(found[1] / 2**20, 1)}

    def index_size(self, name: str) -> float:
        """MiB of an index."""
        return round(float(self.one("SELECT pg_relation_size(%(r)s::regclass)", {"r": name})) / 2**20, 1)

    def read(self, sql: str, names: Sequence[str]) -> dict[str, Any]:
        """How long the first pages take that are filtered by these attributes, and how PostgreSQL finds them."""
        questions = list(_questions(names))
        times = [_seconds(functools.partial(self._all, sql, row)) for row in questions]
        lines = [str(line[0]).strip() for line in self.connection.execute(f"EXPLAIN {sql}", questions[0])]
        # The lowest node that says how the table is read.
        node = next((line for line in reversed(lines) if "Scan" in line), "")
        return {**_distribution(times), "by": node.partition("  (")[0]}

    def _all(self, sql: str, row: Mapping[str, Any]) -> None:
        self.connection.execute(sql, row).fetchall()

    def updated(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """How long updates of these rows take, each with its commit, and what each writes to the log.

        They are made once before: the first change of a page after a checkpoint writes the whole page to the log.
        """
        for row in rows:
            self.connection.execute(sql, row)
        before = self.one("SELECT pg_current_wal_lsn()")
        times = [_seconds(functools.partial(self.connection.execute, sql, row)) for row in rows]
        written = float(self.one("SELECT pg_current_wal_lsn() - %(b)s::pg_lsn", {"b": before}))
        return {**_distribution(times), "bytes in the log": round(written / len(rows))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.documents", description=__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    count: int = parser.parse_args(arguments).products
    admin = os.environ["POSTGRES_ADMIN_URL"]
    with _migrated(admin, "catalog") as catalog, _migrated(admin, "search") as search:
        found = {"products": count, **_writing(catalog, count), **_filtering(search, catalog, count)}
    print(json.dumps(found, indent=2))
    return 0


def _writing(database: Database, count: int) -> dict[str, Any]:
    """Writing, with the catalog's own table and with plain columns."""
    database.connection.execute(PLAIN)
    database.connection.execute("INSERT INTO categories (slug, title) VALUES ('goods', 'Goods')")
    rates = {
        "jsonb": database.filled(INTO_CATALOG, _products(count)),
        "plain": database.filled(INTO_PLAIN, _products(count)),
    }
    sizes = {"jsonb": database.size("products"), "plain": database.size("plain")}
    asked = [
        {"id": row["id"], "colour": "new", "change": Jsonb({"colour": "new"})}
        for row in itertools.islice(_products(count), 0, None, max(1, count // SAMPLES))
    ]
    add = _seconds(lambda: database.connection.execute("ALTER TABLE plain ADD COLUMN energy_class text"))
    index = _seconds(lambda: database.connection.execute("CREATE INDEX ON plain (energy_class)"))
    return {
        "rows inserted a second": rates,
        "size, MiB": sizes,
        "update of one attribute": {kind: database.updated(sql, asked) for kind, sql in UPDATES.items()},
        "another attribute, plain, ms": {"column": round(add * 1000, 1), "index": round(index * 1000, 1)},
    }


def _filtering(search: Database, catalog: Database, count: int) -> dict[str, Any]:
    """Filtering, with search's own table, with an index on the document itself, and with plain columns."""
    rate = search.filled(INTO_SEARCH, _products(count))
    sizes = {**search.size("documents_a"), "the index of facets": search.index_size("documents_a_facets_idx")}
    built = _seconds(lambda: search.connection.execute(ON_DOCUMENT))
    sizes["an index on the document"] = search.index_size("by_document")
    for database in (search, catalog):
        database.connection.execute("VACUUM ANALYZE")
    return {
        "search: rows inserted a second": rate,
        "search: size, MiB": sizes,
        "search: an index on the document built, s": round(built, 1),
        "first page by filter, ms": {
            name: {
                "facets": search.read(_facets(names), names),
                "document": search.read(_READ + "attributes @> %(document)s" + _FIRST, names),
                "plain": catalog.read(_plain(names), names),
            }
            for name, names in FILTERS.items()
        },
    }


def _facets(names: Sequence[str]) -> str:
    return _READ + " AND ".join(f"facets && %({name})s::text[]" for name in names) + _FIRST


def _plain(names: Sequence[str]) -> str:
    chosen = " AND ".join(f"{name} = %(plain_{name})s" for name in names)
    return f"SELECT id FROM plain WHERE {chosen} ORDER BY popularity DESC, id LIMIT 20"  # noqa: S608 - our own words


def _questions(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Parameters of the same 300 questions, whoever asks."""
    chance = random.Random(7)  # noqa: S311 - the same at every run
    for _ in range(SAMPLES):
        values = {name: f"{name}-{chance.randrange(VALUES[name])}" for name in names}
        row: dict[str, Any] = {name: [f"attributes.{name}:{value}"] for name, value in values.items()}
        yield {**row, **{f"plain_{name}": value for name, value in values.items()}, "document": Jsonb(values)}


def _products(count: int) -> Iterator[dict[str, Any]]:
    """Products with twelve attributes each, the same at every run."""
    chance = random.Random(24)  # noqa: S311 - the same at every run
    for at in range(count):
        values = {name: f"{name}-{chance.randrange(size)}" for name, size in VALUES.items()}
        yield {
            "id": f"00000000-0000-7000-8000-{at:012x}",
            "title": f"Product {at}",
            "description": f"A thing of {values['material']} by {values['brand']}. " * 4,
            "document": Jsonb(values),
            "facets": [f"attributes.{name}:{value}" for name, value in values.items()],
            "words": " ".join(values.values()),
            "popularity": at % 1000,
            **values,
        }


@contextmanager
def _migrated(admin: str, service: str) -> Iterator[Database]:
    """An empty database with a service's tables, until the block ends."""
    name = f"souk_documents_{service}"
    url = admin.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(admin, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
        try:
            environment = {**os.environ, f"{service.upper()}_DATABASE_URL": url}
            command = [sys.executable, "-m", "services", "migrate", service]
            subprocess.run(command, cwd=layout.ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
            with psycopg.connect(url, autocommit=True) as connection:
                yield Database(connection)
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _distribution(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p95, in milliseconds."""
    return {
        "p50": round(statistics.median(seconds) * 1000, 2),
        "p95": round(statistics.quantiles(seconds, n=20)[18] * 1000, 2),
    }


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
