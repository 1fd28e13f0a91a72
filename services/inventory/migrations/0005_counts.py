"""Counts of what really lies in a warehouse. Only adds: code of 0004 runs on beside it."""

from alembic import op

revision = "inventory_0005"
down_revision = "inventory_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE counts (
      id uuid PRIMARY KEY,
      warehouse text NOT NULL REFERENCES warehouses (id),
      note text NOT NULL,
      actor text NOT NULL,
      count_time timestamptz NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE TABLE count_lines (
      count_id uuid NOT NULL REFERENCES counts (id),
      sku text NOT NULL,
      expected bigint NOT NULL,
      counted bigint NOT NULL CHECK (counted >= 0),
      applied boolean NOT NULL,
      PRIMARY KEY (count_id, sku)
    );
    """)
