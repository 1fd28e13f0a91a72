"""How fast parcels are sent, and whose lines they hold.

Only adds: code of before leaves the columns at their defaults, and its parcels are STANDARD and the shop's.
"""

from alembic import op

revision = "shipping_0004"
down_revision = "shipping_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE deliveries ADD COLUMN terms jsonb;
    ALTER TABLE parcels ADD COLUMN vendor_id text NOT NULL DEFAULT '';
    ALTER TABLE parcels ADD COLUMN service_level text NOT NULL DEFAULT 'STANDARD';
    """)
