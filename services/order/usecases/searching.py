"""Orders across customers: for who runs the shop, and what vendors see of them."""

from services.chassis import errors, pages, replica
from services.order import domain
from services.order.domain import searching
from services.order.store import searching as rows


class Searching:
    """Finds orders of all customers, from where lists may be a moment old."""

    def __init__(self, old: replica.Reads) -> None:
        self._old = old

    async def search(self, filters: searching.Filters, page: pages.Page, *, caller: str) -> pages.Slice[domain.Placed]:
        """The orders that meet these filters, newest first, with what the caller did to them."""
        found = await self._old.read(caller, lambda db: rows.search(db, filters, page))
        return pages.cut(found, page, lambda placed: placed.order.id)

    async def of_vendor(
        self, vendor_id: str, span: searching.Span, page: pages.Page, *, owner_id: str | None
    ) -> pages.Slice[searching.VendorOrder]:
        """The orders with lines of a vendor, newest first, as it sees them.

        owner_id is who asks (None: who runs the shop). Raises VENDOR_NOT_FOUND when it is another vendor.
        """
        if owner_id not in (None, vendor_id):
            raise errors.not_found("VENDOR_NOT_FOUND", "the vendor does not exist", vendor_id=vendor_id)
        found = await self._old.read(vendor_id, lambda db: rows.of_vendor(db, vendor_id, span, page))
        shown = pages.cut(found, page, lambda placed: placed.order.id)
        return pages.Slice([searching.for_vendor(placed, vendor_id) for placed in shown.rows], shown.next_after)
