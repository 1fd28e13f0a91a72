"""Tables of rates. Only adds: code of before does not know them, and the order service of before charges by its settings."""

from alembic import op

revision = "shipping_0003"
down_revision = "shipping_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- Each table that was ever set, as a whole. The newest holds.
    CREATE TABLE rate_tables (
      version bigint PRIMARY KEY CHECK (version > 0),
      content jsonb NOT NULL,
      actor text NOT NULL,
      update_time timestamptz NOT NULL
    );
    CREATE FUNCTION rate_tables_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'rate_tables is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rate_tables
      EXECUTE FUNCTION rate_tables_are_append_only();
    """)
