"""What promotions take off an order. Only adds: code of before takes off nothing, and leaves it empty."""

from alembic import op

revision = "order_0004"
down_revision = "order_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN discounts jsonb")
