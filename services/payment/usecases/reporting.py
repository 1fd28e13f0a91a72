"""What belongs to whom, as the ledger says it: for who runs the shop, and for each vendor its own."""

from dataclasses import replace

from services.chassis import database, errors, pages
from services.chassis.rpc import page_tokens
from services.payment.domain import payouts
from services.payment.store import payouts as rows


class Reports:
    """Reads the ledger; tokens are those of its pages."""

    def __init__(self, db: database.Database, tokens: page_tokens.PageTokens) -> None:
        self._db = db
        self.tokens = tokens

    async def payouts(
        self, wanted: payouts.Wanted, page: pages.Page, *, owner_id: str | None
    ) -> pages.Slice[payouts.Payout]:
        """What belongs to vendors, a page of it.

        owner_id is who asks (None: who runs the shop). Raises VENDOR_NOT_FOUND when it is another vendor.
        """
        if owner_id is not None:
            if wanted.vendor_id not in ("", owner_id):
                said = "the vendor does not exist"
                raise errors.not_found("VENDOR_NOT_FOUND", said, vendor_id=wanted.vendor_id)
            wanted = replace(wanted, vendor_id=owner_id)
        return pages.cut(await rows.report(self._db, wanted, page), page, lambda one: one.key)
