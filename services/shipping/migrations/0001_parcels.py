"""Deliveries, and the parcels that they become."""

from alembic import op

revision = "shipping_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- What was heard of an order. Address and picks come from different services, in either order.
    CREATE TABLE deliveries (
      order_id uuid PRIMARY KEY,
      user_id uuid,
      address jsonb,
      confirm_time timestamptz,
      picks jsonb,
      stopped boolean NOT NULL DEFAULT false
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

    -- No foreign keys: parcels are written by the transaction that locks their delivery, and never deleted.
    CREATE TABLE parcels (
      id uuid PRIMARY KEY,
      order_id uuid NOT NULL,
      user_id uuid NOT NULL,
      warehouse text NOT NULL,
      state text NOT NULL CHECK (state IN (
        'LABELLING', 'LABELLED', 'PICKED', 'PACKED', 'HANDED_OVER', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERY_FAILED',
        'DELIVERED', 'RETURNING', 'RETURNED', 'LOST', 'DAMAGED', 'LABEL_REFUSED', 'LABELLING_STOPPED', 'VOIDING',
        'STOPPED')),
      lines jsonb NOT NULL,
      address jsonb NOT NULL,
      carrier text NOT NULL,
      reference text NOT NULL,
      tracking_number text NOT NULL,
      tracking_url text NOT NULL,
      label_url text NOT NULL,
      failure_reason text NOT NULL,
      scans integer NOT NULL,
      version bigint NOT NULL,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL,
      -- The workers': when the carrier is to be asked next (null: not at all), how often it was asked for this state, and a
      -- number that grows with every claim, so that a worker that was taken for dead writes nothing.
      next_try_at timestamptz,
      attempts integer NOT NULL DEFAULT 0,
      epoch bigint NOT NULL DEFAULT 0,
      traceparent text NOT NULL DEFAULT '',
      UNIQUE (order_id, warehouse)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX ix_parcels_label ON parcels (next_try_at)
      WHERE state IN ('LABELLING', 'LABELLING_STOPPED', 'VOIDING');
    CREATE INDEX ix_parcels_way ON parcels (next_try_at)
      WHERE state IN ('HANDED_OVER', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERY_FAILED', 'RETURNING');

    CREATE TABLE parcel_events (
      parcel_id uuid NOT NULL,
      sequence bigint NOT NULL,
      state text NOT NULL,
      event text NOT NULL,
      actor text NOT NULL,
      place text NOT NULL,
      reason text NOT NULL,
      time timestamptz NOT NULL,
      PRIMARY KEY (parcel_id, sequence)
    );
    CREATE FUNCTION parcel_events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'parcel_events is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON parcel_events
      EXECUTE FUNCTION parcel_events_are_append_only();
    """)
