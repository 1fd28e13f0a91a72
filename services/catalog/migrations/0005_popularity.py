"""What was sold lately, and the popularity that was told of it. Only adds: code of before knows nothing of either."""

from alembic import op

revision = "catalog_0005"
down_revision = "catalog_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE products ADD COLUMN popularity bigint NOT NULL DEFAULT 0;

    CREATE TABLE sales (
      product_id uuid PRIMARY KEY,
      sold double precision NOT NULL,
      as_of timestamptz NOT NULL,
      due_at timestamptz NOT NULL
    );
    CREATE INDEX ix_sales_due ON sales (due_at);
    """)
