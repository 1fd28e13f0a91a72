"""Where warehouses are, and goods on their way to them. Only adds: code of 0003 runs on beside it."""

from alembic import op

revision = "inventory_0004"
down_revision = "inventory_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE warehouses
      ADD COLUMN country text NOT NULL DEFAULT '',
      ADD COLUMN region text NOT NULL DEFAULT '',
      ADD COLUMN latitude double precision CHECK (latitude BETWEEN -90 AND 90),
      ADD COLUMN longitude double precision CHECK (longitude BETWEEN -180 AND 180),
      ADD CONSTRAINT a_whole_point CHECK ((latitude IS NULL) = (longitude IS NULL));

    CREATE TABLE supplies (
      id uuid PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('TRANSFER', 'RESTOCK')),
      -- A warehouse, or a supplier's name.
      source text NOT NULL,
      target text NOT NULL REFERENCES warehouses (id),
      state text NOT NULL CHECK (state IN ('UNDER_WAY', 'ARRIVED', 'ENDED', 'RETURNED_TO_SOURCE')),
      expected_time timestamptz,
      note text NOT NULL,
      actor text NOT NULL,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL
    );
    CREATE INDEX ix_supplies_kind ON supplies (kind, id);

    CREATE TABLE supply_lines (
      supply_id uuid NOT NULL REFERENCES supplies (id),
      sku text NOT NULL,
      quantity bigint NOT NULL CHECK (quantity > 0),
      received bigint NOT NULL CHECK (received BETWEEN 0 AND quantity),
      PRIMARY KEY (supply_id, sku)
    );
    CREATE INDEX ix_supply_lines_missing ON supply_lines (sku) WHERE received < quantity;
    """)
