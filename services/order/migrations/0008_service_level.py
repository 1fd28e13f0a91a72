"""How fast orders are shipped. Only adds: code of before leaves it at the default, as all of its orders are shipped so."""

from alembic import op

revision = "order_0008"
down_revision = "order_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN service_level text NOT NULL DEFAULT 'STANDARD'")
