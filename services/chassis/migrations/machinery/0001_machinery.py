"""The machinery's tables: outbox, inbox, parked events, idempotent requests, leases."""

from alembic import op

revision = "machinery_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      event_id uuid NOT NULL,
      shard smallint NOT NULL,
      topic text NOT NULL,
      key text NOT NULL,
      type text NOT NULL,
      sequence bigint NOT NULL,
      time timestamptz NOT NULL,
      traceparent text NOT NULL,
      headers jsonb,
      payload bytea NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1);

    CREATE TABLE inbox (event_id uuid PRIMARY KEY);

    CREATE TABLE parked_events (
      position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      event_id uuid NOT NULL UNIQUE,
      key text NOT NULL,
      topic text NOT NULL,
      partition integer NOT NULL,
      "offset" bigint NOT NULL,
      type text NOT NULL,
      headers jsonb NOT NULL,
      payload bytea NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      error text NOT NULL DEFAULT '',
      parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      next_try_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      dead integer NOT NULL DEFAULT 0
    );
    CREATE INDEX ix_parked_events_key ON parked_events (key);

    CREATE TABLE parked_actions (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      event_id uuid NOT NULL,
      action text NOT NULL,
      actor text NOT NULL,
      time timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    CREATE TABLE idempotent_requests (
      principal text NOT NULL,
      request_id text NOT NULL,
      fingerprint bytea NOT NULL,
      resource_id uuid NOT NULL,
      time timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (principal, request_id)
    );
    CREATE INDEX ix_idempotent_requests_time ON idempotent_requests USING brin (time);

    CREATE TABLE leases (
      name text PRIMARY KEY,
      owner text NOT NULL,
      epoch bigint NOT NULL,
      expires_at timestamptz NOT NULL
    );
    """)
