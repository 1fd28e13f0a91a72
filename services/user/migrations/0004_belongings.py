"""What somebody keeps with an account: addresses, payment methods, preferences."""

from alembic import op

revision = "user_0004"
down_revision = "user_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE addresses (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      label text NOT NULL,
      recipient text NOT NULL,
      line1 text NOT NULL,
      line2 text NOT NULL,
      city text NOT NULL,
      region text NOT NULL,
      postal_code text NOT NULL,
      country text NOT NULL,
      is_default boolean NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_addresses_user ON addresses (user_id, id);
    CREATE UNIQUE INDEX uq_addresses_default ON addresses (user_id) WHERE is_default;

    CREATE TABLE payment_methods (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      provider_token text NOT NULL,
      label text NOT NULL,
      last_digits text NOT NULL CHECK (last_digits ~ '^([0-9]{4})?$'),
      is_default boolean NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_payment_methods_user ON payment_methods (user_id, id);
    CREATE UNIQUE INDEX uq_payment_methods_default ON payment_methods (user_id) WHERE is_default;

    ALTER TABLE users ADD COLUMN language text NOT NULL DEFAULT '', ADD COLUMN currency text NOT NULL DEFAULT '',
      ADD COLUMN time_zone text NOT NULL DEFAULT '';
    """)
