"""Reading the history of stock, and holding what is kept against it."""

from collections.abc import Sequence

from services.chassis import database, errors, pages
from services.inventory import domain, store
from services.inventory.domain import history
from services.inventory.store import history as rows


class History:
    """The movements of stock, which rebuild it."""

    def __init__(self, db: database.Database) -> None:
        self._db = db

    async def movements(self, sku: str, page: pages.Page) -> pages.Slice[history.Recorded]:
        """A SKU's movements, the newest first."""
        return pages.cut(await rows.movements(self._db, sku, page), page, lambda recorded: str(recorded.id))

    async def audit(self, sku: str, *, repair: bool) -> Sequence[history.Comparison]:
        """Each place of a SKU beside what its history says; with `repair` the places that differ are set to that.

        Whoever changes stock locks it before, so under the lock the history is whole and nobody is half way. Raises
        SKU_NOT_FOUND, or HISTORY_IMPOSSIBLE for a history that no stock can be.
        """
        async with self._db.transaction() as transaction:
            kept = await store.lock(transaction, [sku])
            recorded = await rows.rebuilt(transaction, sku)
            if repair and await self._make_missing(transaction, kept, recorded):
                # Somebody else may have made one of them, and written more, while we waited for it.
                kept = await store.lock(transaction, [sku])
                recorded = await rows.rebuilt(transaction, sku)
            found = history.compared(kept, recorded)
            if not found:
                raise errors.not_found("SKU_NOT_FOUND", "there is no stock record of this SKU", sku=sku)
            if repair:
                await self._repair(transaction, [each for each in found if not each.agrees])
            return found

    async def _make_missing(
        self, transaction: database.Transaction, kept: Sequence[domain.Level], recorded: Sequence[domain.Level]
    ) -> bool:
        missing = {level.place for level in recorded} - {level.place for level in kept}
        await store.make_places(transaction, missing)
        return bool(missing)

    async def _repair(self, transaction: database.Transaction, wrong: Sequence[history.Comparison]) -> None:
        for each in wrong:
            if not each.possible:
                said = f"the history says {each.recorded.reserved} of {each.recorded.on_hand} units are reserved"
                raise errors.precondition("HISTORY_IMPOSSIBLE", said, warehouse=each.kept.warehouse)
            await rows.reset(transaction, each.recorded)
        transaction.emit(domain.StockLevelChanged(each.recorded) for each in wrong)
