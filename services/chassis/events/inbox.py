"""The inbox: which events this service has handled. Claimed in the transaction of the effect, so that each counts once."""

from collections.abc import Sequence

from services.chassis import database

# One statement: events of keys that are parked are not claimed, the others are unless they were before.
_CLAIM = database.Statement("""
WITH given AS (SELECT * FROM unnest(%(event_ids)s::uuid[], %(keys)s::text[]) AS g(event_id, key)),
parked AS (SELECT DISTINCT p.key FROM parked_events AS p WHERE p.key = ANY(%(keys)s::text[])),
claimed AS (
  INSERT INTO inbox (event_id)
  SELECT DISTINCT event_id FROM given WHERE key NOT IN (SELECT key FROM parked)
  ON CONFLICT DO NOTHING RETURNING event_id)
SELECT event_id::text, NULL FROM claimed UNION ALL SELECT NULL, key FROM parked
""")


async def claim(
    transaction: database.Transaction, event_ids: Sequence[str], keys: Sequence[str]
) -> tuple[set[str], set[str]]:
    """Claim these events: which are new, and which of the keys are parked. Waits for another claimant of the same id."""
    rows = await transaction.run(_CLAIM, {"event_ids": list(event_ids), "keys": list(keys)})
    return {row[0] for row in rows if row[0]}, {row[1] for row in rows if row[1]}
