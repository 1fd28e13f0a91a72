"""A file is imported whole or not at all, also when the process is killed in the middle."""

import uuid

import pytest

from services.catalog import domain, usecases
from services.catalog.domain import bulk as results
from services.catalog.usecases import bulk
from services.chassis import clock, database, pages
from tests.integration.catalog import mortal as process
from tests.integration.catalog.bulk_files import lines, new_sku, row
from tests.support import mortal

EVENTS = database.Statement("SELECT count(*) FROM outbox")
PRICES = database.Statement("SELECT sku, price FROM variants WHERE sku = ANY(%(skus)s::text[])")
CREATED, UPDATED, UNCHANGED = results.Outcome.CREATED, results.Outcome.UPDATED, results.Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("at", "happened", "keyed"),
    [(mortal.WRITTEN, False, True), (mortal.COMMITTED, True, True), (process.FORGETTING, True, False)],
)
async def test_a_killed_import_did_all_or_nothing_and_is_repeated(
    database_url: str,
    own_redis_url: str,
    db: database.Database,
    catalog: usecases.Catalog,
    *,
    category: str,
    at: str,
    happened: bool,
    keyed: bool,
) -> None:
    there = await catalog.create(process.draft(category, new_sku(), ""))
    changed = row(category, sku=there.variants[0].sku, title="Coffee", price="1")
    # More than one statement takes.
    file = lines(changed, *(row(category) for _ in range(1200))).decode()
    request_id = uuid.uuid4().hex if keyed else ""

    process.dies_importing(database_url, own_redis_url, at, file, request_id)

    skus = [changed["sku"], *(made.sku for made in process.wanted_file(file, "").rows[1:])]
    prices: dict[str, int] = dict(await db.read(PRICES, {"skus": skus}))
    assert len(prices) == (1201 if happened else 1)
    assert prices[changed["sku"]] == (100 if happened else 1200)
    assert await db.read(EVENTS) == [(1 + (1201 if happened else 0),)]
    files = bulk.Bulk(db, catalog, now=clock.utc_now)
    report = await files.import_file(process.wanted_file(file, request_id))
    repeated = happened and not keyed
    assert (report.count(CREATED), report.count(UPDATED)) == ((0, 0) if repeated else (1200, 1))
    assert report.count(UNCHANGED) == (1201 if repeated else 0)
    assert await db.read(EVENTS) == [(1202,)]
    assert len((await catalog.list(domain.Filter(category), pages.Page(100))).rows) == 100
