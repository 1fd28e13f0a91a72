"""Whether an order's prices contain its taxes. Only adds: code of before leaves it at the default, as its orders have none."""

from alembic import op

revision = "order_0003"
down_revision = "order_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN taxes_included boolean NOT NULL DEFAULT false")
