"""Which levels orders changed and nobody has told of yet. Only adds: code of 0002 runs on beside it."""

from alembic import op

revision = "inventory_0003"
down_revision = "inventory_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- As many rows as there are places that sell, and each lives for seconds: room for its next life is on its page.
    CREATE TABLE changed_levels (
      sku text NOT NULL,
      warehouse text NOT NULL,
      since timestamptz NOT NULL,
      PRIMARY KEY (sku, warehouse)
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
    -- Sales were not told of before: every reader begins with what is there now.
    INSERT INTO changed_levels (sku, warehouse, since) SELECT sku, warehouse, clock_timestamp() FROM stock;
    """)
