"""Warehouses, stock, reservations and movements."""

from alembic import op

revision = "inventory_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE warehouses (
      id text PRIMARY KEY,
      title text NOT NULL,
      preference integer NOT NULL
    );
    INSERT INTO warehouses (id, title, preference) VALUES ('east', 'East', 1), ('west', 'West', 2);

    CREATE TABLE stock (
      sku text NOT NULL,
      warehouse text NOT NULL REFERENCES warehouses (id),
      on_hand bigint NOT NULL,
      reserved bigint NOT NULL,
      PRIMARY KEY (sku, warehouse),
      CONSTRAINT promised_is_there CHECK (reserved BETWEEN 0 AND on_hand)
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

    CREATE TABLE reservations (
      order_id uuid NOT NULL,
      sku text NOT NULL,
      warehouse text NOT NULL,
      quantity bigint NOT NULL CHECK (quantity > 0),
      status text NOT NULL CHECK (status IN ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED', 'RETURNED')),
      expire_time timestamptz NOT NULL,
      PRIMARY KEY (order_id, sku, warehouse)
    ) WITH (fillfactor = 80);
    CREATE INDEX ix_reservations_expire_time ON reservations (expire_time) WHERE status = 'HELD';

    CREATE TABLE movements (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      sku text NOT NULL,
      warehouse text NOT NULL,
      delta bigint NOT NULL CHECK (delta <> 0),
      reason text NOT NULL,
      reference text NOT NULL,
      time timestamptz NOT NULL
    );
    CREATE INDEX ix_movements_place ON movements (sku, warehouse);
    CREATE FUNCTION movements_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'movements is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
      EXECUTE FUNCTION movements_are_append_only();
    """)
