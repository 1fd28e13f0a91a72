"""Movements are read by SKU, the newest first. The new index serves what the old one did; code of 0003 runs on beside it."""

from alembic import op

revision = "inventory_0004"
down_revision = "inventory_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE INDEX ix_movements_sku ON movements (sku, id);
    DROP INDEX ix_movements_place;
    """)
