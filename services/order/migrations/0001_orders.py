"""Orders, their sagas and their history."""

from alembic import op

revision = "order_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No foreign keys: order, saga and history are written by one transaction and never deleted, and each check would
    # lock (and so rewrite) the order's row, once per step of its saga.
    op.execute("""
    CREATE TABLE orders (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      currency text NOT NULL,
      total bigint NOT NULL CHECK (total > 0),
      lines jsonb NOT NULL,
      address jsonb NOT NULL,
      payment_method text NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_orders_user_id ON orders (user_id, id);

    CREATE TABLE sagas (
      order_id uuid PRIMARY KEY,
      id uuid NOT NULL,
      definition_version integer NOT NULL,
      status text NOT NULL CHECK (status IN ('PENDING', 'RESERVED', 'CONFIRMED', 'CANCELLING', 'CANCELLED')),
      step text NOT NULL CHECK (step IN ('STOCK', 'PAYMENT', 'SETTLEMENT', 'COMPENSATION', 'DONE')),
      awaiting text NOT NULL,
      version bigint NOT NULL,
      update_time timestamptz NOT NULL,
      deadline timestamptz,
      attempts integer NOT NULL,
      stuck boolean NOT NULL,
      payment_id text NOT NULL,
      cancel_reason text NOT NULL,
      shortages jsonb
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX ix_sagas_deadline ON sagas (deadline) WHERE deadline IS NOT NULL;
    CREATE INDEX ix_sagas_stuck ON sagas (order_id) WHERE stuck;

    CREATE TABLE order_events (
      order_id uuid NOT NULL,
      sequence bigint NOT NULL,
      status text NOT NULL,
      event text NOT NULL,
      reason text NOT NULL,
      actor text NOT NULL,
      time timestamptz NOT NULL,
      PRIMARY KEY (order_id, sequence)
    );
    CREATE FUNCTION order_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'order_events is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
      EXECUTE FUNCTION order_events_are_append_only();
    """)
