"""Thresholds of low stock, and a note on movements. Only adds: code of 0001 runs on beside it."""

from alembic import op

revision = "inventory_0002"
down_revision = "inventory_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE stock_thresholds (
      sku text PRIMARY KEY,
      threshold bigint NOT NULL CHECK (threshold >= 0)
    );
    ALTER TABLE movements ADD COLUMN note text NOT NULL DEFAULT '';
    """)
