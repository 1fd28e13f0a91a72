"""The report of payouts: one statement over the ledger's entries of a span of time."""

from services.chassis import database, pages
from services.payment.domain import payouts

# Entries of before there were causes say it by account and sign; entries without shares are the shop's.
_REPORT = database.Statement("""
WITH entries AS (
  SELECT currency, account, amount, shares, coalesce(cause, CASE
    WHEN account = 'order_revenue' THEN CASE WHEN amount < 0 THEN 'CAPTURED' ELSE 'REFUNDED' END
    WHEN account = 'disputed' AND amount > 0 THEN 'DISPUTED' ELSE 'DISPUTE_MOVED' END) AS cause
  FROM ledger_entries
  WHERE time >= %(start)s AND time < %(end)s AND account <> 'provider_receivable'
    AND (%(currency)s = '' OR currency = %(currency)s)),
parts AS (
  SELECT s.vendor, e.currency, e.account, e.cause, s.amount FROM entries AS e CROSS JOIN LATERAL (
    SELECT key AS vendor, value::bigint AS amount FROM jsonb_each_text(e.shares)
    UNION ALL SELECT '', e.amount WHERE e.shares = '{}') AS s
  WHERE %(vendor_id)s = '' OR s.vendor = %(vendor_id)s)
SELECT vendor, currency,
  coalesce(-sum(amount) FILTER (WHERE cause = 'CAPTURED'), 0)::bigint,
  coalesce(sum(amount) FILTER (WHERE cause IN ('REFUNDED', 'REFUND_FAILED')), 0)::bigint,
  coalesce(sum(amount) FILTER (WHERE account <> 'order_revenue'), 0)::bigint,
  count(*) FILTER (WHERE cause = 'CAPTURED'), count(*) FILTER (WHERE cause = 'REFUNDED'),
  count(*) FILTER (WHERE cause = 'DISPUTED')
FROM parts WHERE (vendor, currency) > (%(after_vendor)s, %(after_currency)s)
GROUP BY vendor, currency ORDER BY vendor, currency LIMIT %(most)s
""")


async def report(db: database.Database, wanted: payouts.Wanted, page: pages.Page) -> list[payouts.Payout]:
    """What belongs to whom: up to one more than the page shows."""
    vendor_id, currency = payouts.key(page.after) if page.after else ("", "")
    values = {"start": wanted.start, "end": wanted.end, "currency": wanted.currency, "vendor_id": wanted.vendor_id}
    values |= {"after_vendor": vendor_id, "after_currency": currency, "most": page.size + 1}
    return [payouts.Payout(*row) for row in await db.read(_REPORT, values)]
