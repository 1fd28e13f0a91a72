"""Parcels that bring returns back. Only adds, beside the running service, but for a constraint and an index that grow wider.

A run that was cut short leaves an index that is not valid, which the next run drops.
"""

from alembic import op

revision = "shipping_0006"
down_revision = "shipping_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE parcels ADD COLUMN IF NOT EXISTS return_id text NOT NULL DEFAULT '';
    ALTER TABLE parcels DROP CONSTRAINT IF EXISTS parcels_state_check;
    ALTER TABLE parcels ADD CONSTRAINT parcels_state_check CHECK (state IN (
      'LABELLING', 'LABELLED', 'AWAITED', 'PICKED', 'PACKED', 'HANDED_OVER', 'IN_TRANSIT', 'OUT_FOR_DELIVERY',
      'DELIVERY_FAILED', 'DELIVERED', 'RETURNING', 'RETURNED', 'LOST', 'DAMAGED', 'LABEL_REFUSED', 'LABELLING_STOPPED',
      'VOIDING', 'STOPPED')) NOT VALID;
    """)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE parcels VALIDATE CONSTRAINT parcels_state_check")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_parcels_return")
        op.execute("CREATE INDEX CONCURRENTLY ix_parcels_return ON parcels (return_id) WHERE return_id <> ''")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_parcels_followed")
        op.execute("""
        CREATE INDEX CONCURRENTLY ix_parcels_followed ON parcels (next_try_at) WHERE state IN (
          'AWAITED', 'HANDED_OVER', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERY_FAILED', 'RETURNING')
        """)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_parcels_way")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS parcels_order_id_return_id_warehouse_key")
        op.execute("""
        CREATE UNIQUE INDEX CONCURRENTLY parcels_order_id_return_id_warehouse_key
        ON parcels (order_id, return_id, warehouse)
        """)
        op.execute("""
        ALTER TABLE parcels DROP CONSTRAINT IF EXISTS parcels_order_id_warehouse_key,
          ADD CONSTRAINT parcels_order_id_return_id_warehouse_key
          UNIQUE USING INDEX parcels_order_id_return_id_warehouse_key
        """)
