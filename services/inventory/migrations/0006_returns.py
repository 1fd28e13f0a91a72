"""Returns whose goods were put on shelves. Only adds: code of before hears of no returns."""

from alembic import op

revision = "inventory_0006"
down_revision = "inventory_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE returns_shelved (
      return_id uuid PRIMARY KEY,
      order_id uuid NOT NULL,
      time timestamptz NOT NULL
    );
    CREATE INDEX ix_returns_shelved_order_id ON returns_shelved (order_id);
    """)
