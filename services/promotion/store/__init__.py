"""The rows of promotion: `promotions`, `codes` with their `code_batches`, and `redemptions`.

Rows are always locked in one order (redemptions by order, promotions by id, codes), so that batches wait for each other
instead of deadlocking; `CHECK (uses <= most_uses)` is the last wall. A hot promotion costs one row update per batch, not per
order. `packing` has the terms of promotions as JSON.
"""

from services.promotion.store.codes import (
    batch,
    candidates,
    change_codes,
    codes_after,
    insert_batch,
    insert_codes,
    lock_codes,
)
from services.promotion.store.prices import end_price, insert_price, lock_price, price, price_page
from services.promotion.store.promotions import (
    any_automatic,
    change_promotions,
    insert_promotion,
    lock_promotions,
    promotion_page,
    promotions_of,
    read_promotions,
    write_promotion,
)
from services.promotion.store.redemptions import (
    commit_uses,
    count_uses,
    insert_uses,
    lock_uses,
    release_uses,
    uses_of_customers,
)

__all__ = [
    "any_automatic",
    "batch",
    "candidates",
    "change_codes",
    "change_promotions",
    "codes_after",
    "commit_uses",
    "count_uses",
    "end_price",
    "insert_batch",
    "insert_codes",
    "insert_price",
    "insert_promotion",
    "insert_uses",
    "lock_codes",
    "lock_price",
    "lock_promotions",
    "lock_uses",
    "price",
    "price_page",
    "promotion_page",
    "promotions_of",
    "read_promotions",
    "release_uses",
    "uses_of_customers",
    "write_promotion",
]
