"""Promotional prices, which the catalog is told of. Only adds: code of before does not know them."""

from alembic import op

revision = "promotion_0002"
down_revision = "promotion_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE promotional_prices (
      id uuid PRIMARY KEY,
      product_id uuid NOT NULL,
      sku text NOT NULL,
      currency text NOT NULL CHECK (length(currency) = 3),
      price bigint NOT NULL CHECK (price > 0),
      title text NOT NULL,
      start_local text NOT NULL,
      end_local text NOT NULL,
      time_zone text NOT NULL,
      start_time timestamptz NOT NULL,
      end_time timestamptz,
      create_time timestamptz NOT NULL,
      version bigint NOT NULL CHECK (version > 0)
    );
    CREATE INDEX ix_promotional_prices_product ON promotional_prices (product_id, id);
    """)
