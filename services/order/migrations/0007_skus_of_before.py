"""The SKUs of orders of before 0006. Only adds rows that nobody else writes."""

from alembic import op

revision = "order_0007"
down_revision = "order_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    INSERT INTO order_skus (sku, order_id) SELECT line->>'sku', id FROM orders, jsonb_array_elements(lines) AS line
    ON CONFLICT DO NOTHING
    """)
