"""Ten thousand rows: what an import and an export cost, and that others are served meanwhile."""

import asyncio
import gc
import time
import tracemalloc

from services.chassis import database
from souk.catalog.v1 import bulk_pb2, catalog_service_pb2
from tests.integration.catalog.bulk_files import imported, lines, row
from tests.integration.catalog.served import Served

ROWS = 10_000
# Bounds that hold on a busy machine: CPU of this process, which is the caller too, and how long others wait.
MOST_CPU_MS_PER_ROW = 2.5
MOST_WAIT_S = 2.0
MOST_EXPORT_BYTES = 4 * 1024 * 1024
OUTBOX = database.Statement("SELECT count(*) FROM outbox")


async def _others(catalog: Served, product_id: str) -> float:
    """Read a product again and again, until cancelled: how long the slowest read took, in seconds."""
    slowest = 0.0
    try:
        while True:
            begun = time.monotonic()
            await catalog.stub.GetProduct(catalog_service_pb2.GetProductRequest(id=product_id))
            slowest = max(slowest, time.monotonic() - begun)
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        return slowest


async def test_ten_thousand_rows(db: database.Database, served: Served) -> None:
    made = await served.stub.CreateProduct(served.product(), metadata=served.admin)
    said = {"description": "A " + "very " * 40 + "good tea.", "attributes": {"origin": "Assam", "grade": "FTGFOP1"}}
    file = lines(*(row(served.category, **said) for _ in range(ROWS)))
    for outcome in ("created", "unchanged"):
        others = asyncio.create_task(_others(served, made.id))
        cpu = time.process_time()
        summary, _ = await imported(served, served.admin, file)
        cpu_s = time.process_time() - cpu
        others.cancel()
        waited = await others
        assert getattr(summary, outcome) == ROWS
        assert cpu_s * 1000 / ROWS < MOST_CPU_MS_PER_ROW
        assert waited < MOST_WAIT_S
    assert await db.read(OUTBOX) == [(ROWS + 1,)]


async def test_an_export_takes_no_more_memory_than_a_few_pages(served: Served) -> None:
    said = {"description": "tea " * 1000}
    await imported(served, served.admin, lines(*(row(served.category, **said) for _ in range(2500))))
    call = served.stub.ExportProducts(bulk_pb2.ExportProductsRequest(), metadata=served.admin)
    gc.collect()
    tracemalloc.start()
    received = 0
    async for piece in call:
        received += len(piece.file.data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert received > 2 * MOST_EXPORT_BYTES
    assert peak < MOST_EXPORT_BYTES
