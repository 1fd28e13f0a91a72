"""What is whose, for those whose accounts are erased. Only adds: code of 0001 runs on beside it."""

from alembic import op

revision = "shipping_0002"
down_revision = "shipping_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE INDEX ix_deliveries_user_id ON deliveries (user_id);
    CREATE INDEX ix_parcels_user_id ON parcels (user_id);
    """)
