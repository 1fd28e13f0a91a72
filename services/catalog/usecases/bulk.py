"""What can be done with files of products: import and export.

An import is one transaction: all products of the file, their events, the claim of its request and its report. If the process
dies before the commit nothing happened; after it a repetition with the same request id finds the report, and one without
finds that nothing is left to change. Nothing is written unless every row is valid. The products are locked before they are
compared with the file, so no change of somebody else is lost or half overwritten.

An export reads a page at a time, each for itself: no transaction is open while the caller reads, and memory stays flat.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from services.catalog import domain
from services.catalog.domain import bulk
from services.catalog.store import attribute_schemas as attribute_schema_store
from services.catalog.store import bulk as store
from services.catalog.store import prices as price_store
from services.chassis import clock, database, errors, idempotency, ids, retention

# Files that one process takes at a time, one of each caller: each takes memory and processor time as no other call does.
AT_ONCE = 4
# Somebody may take a new SKU between our look and our write; then everything is looked at again.
TRIES = 3
PAGE = 200


class Products(Protocol):
    """What is known of products beside the database."""

    async def stocked(self, skus: Iterable[str]) -> set[str]:
        """Those of the SKUs that no product has or had, and that the shop has stock of. Raises TransientError."""

    async def forget(self, products: Sequence[domain.Product]) -> None:
        """Drop these products, which were changed, from all caches."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to import. owner_id is whose products these must be (None: anybody's), actor who asks, with which request."""

    rows: Sequence[bulk.Row]
    owner_id: str | None
    actor: str
    request_id: str
    fingerprint: bytes
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """Which products to export: of this owner (None: everybody's) and this vendor (empty: any), from behind `after` on."""

    owner_id: str | None
    vendor_id: str
    after: str

    @property
    def vendor_ids(self) -> Sequence[str] | None:
        """Whose products are meant; None for everybody's."""
        wanted = {self.owner_id, self.vendor_id} - {None, ""}
        # Of somebody else's products a vendor gets none.
        return [str(vendor_id) for vendor_id in wanted if len(wanted) == 1] if wanted else None


class _SkuTakenError(Exception):
    """Somebody else took a SKU of the file meanwhile."""


class Bulk:
    """The use cases of files of products."""

    def __init__(self, db: database.Database, products: Products, *, now: clock.Clock) -> None:
        self._db = db
        self._products = products
        self._now = now
        self._callers: set[str] = set()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """A turn to send a file. Raises OVERLOADED when too many are sent, or when this caller sends another."""
        if caller in self._callers or len(self._callers) >= AT_ONCE:
            raise errors.overloaded()
        self._callers.add(caller)
        try:
            yield
        finally:
            self._callers.discard(caller)

    async def import_file(self, wanted: Wanted) -> bulk.Report:
        """Import a file, all of it or nothing; a repeated request gets the report of its first.

        Raises REQUEST_ID_REUSED, or TransientError.
        """
        stocked = await self._stocked(wanted)
        for _ in range(TRIES):
            try:
                return await self._attempt(wanted, stocked)
            except _SkuTakenError:
                continue
        raise errors.TransientError("other requests take SKUs of this file again and again")

    async def count(self, wanted: Exported) -> int:
        """How many products there are to export now."""
        return await store.count(self._db, wanted.after, wanted.vendor_ids)

    async def export(self, wanted: Exported) -> AsyncIterator[Sequence[domain.Product]]:
        """Products by id, a page at a time."""
        after = wanted.after
        while page := await store.products_after(self._db, after, wanted.vendor_ids, PAGE):
            yield page
            after = page[-1].id

    async def purge(self) -> int:
        """Forget reports of imports that nobody can ask for any more: how many."""
        return await store.purge(self._db, self._now() - retention.REQUESTS_KEPT)

    async def _attempt(self, wanted: Wanted, stocked: frozenset[str]) -> bulk.Report:
        now = self._now()
        claim = idempotency.Claim(wanted.actor, wanted.request_id, wanted.fingerprint, ids.new_id(now))
        async with self._db.transaction() as transaction:
            if before := await _made_before(transaction, claim):
                return await _report_of(transaction, before)
            known = await _known(transaction, wanted, stocked)
            importer = bulk.Importer(wanted.owner_id, now, ids.new_id)
            # It takes as long as the file is large: others go on meanwhile.
            plan = await asyncio.to_thread(bulk.plan, wanted.rows, known, importer)
            if plan.refused or wanted.dry_run:
                return _not_applied(plan)
            made = await idempotency.claim_one(transaction, claim)
            if made != claim.resource_id:
                return await _report_of(transaction, made)
            if await store.write(transaction, plan.made, plan.changed):
                raise _SkuTakenError
            if claim.request_id:
                await store.insert_import(transaction, claim.resource_id, plan.results, now)
            await price_store.apply(transaction, [product.id for product in plan.changed])
            written = await store.products(transaction, [product.id for product in plan.changed])
            transaction.emit(domain.ProductChanged(product) for product in (*plan.made, *written))
        await self._products.forget(plan.changed)
        return bulk.Report(bulk.State.APPLIED, plan.results)

    async def _stocked(self, wanted: Wanted) -> frozenset[str]:
        """SKUs that no product has, and that the shop has stock of: they are not for a vendor to take."""
        if wanted.owner_id is None:
            return frozenset()
        return frozenset(await self._products.stocked(bulk.skus(wanted.rows)))


async def _made_before(transaction: database.Transaction, claim: idempotency.Claim) -> str:
    """The import that this request made before; empty when it made none. Raises REQUEST_ID_REUSED."""
    if not claim.request_id:
        return ""
    [found] = await idempotency.find(transaction, [claim])
    if isinstance(found, errors.DomainError):
        raise found
    return found if found != claim.resource_id else ""


async def _report_of(transaction: database.Transaction, import_id: str) -> bulk.Report:
    return bulk.Report(bulk.State.APPLIED, await store.results_of(transaction, import_id))


async def _known(transaction: database.Transaction, wanted: Wanted, stocked: frozenset[str]) -> bulk.Known:
    owners = await store.owners(transaction, bulk.skus(wanted.rows))
    product_ids = sorted({*owners.values(), *bulk.product_ids(wanted.rows)})
    if not wanted.dry_run:
        await store.lock(transaction, product_ids, wanted.owner_id)
    products = {product.id: product for product in await store.products(transaction, product_ids)}
    schemas = await attribute_schema_store.in_force(transaction.run, bulk.categories(wanted.rows, products))
    return bulk.Known(products, owners, schemas, stocked)


def _not_applied(plan: bulk.Plan) -> bulk.Report:
    """What a plan would do: new products have no ids yet."""
    made = {product.id for product in plan.made}
    results = tuple(replace(result, product_id="") if result.product_id in made else result for result in plan.results)
    return bulk.Report(bulk.State.REFUSED if plan.refused else bulk.State.CHECKED, results)
