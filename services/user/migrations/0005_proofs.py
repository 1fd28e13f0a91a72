"""Verified addresses, tokens that are sent by mail, where sign-ins began, who changed roles."""

from alembic import op

revision = "user_0005"
down_revision = "user_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false;

    ALTER TABLE token_families ADD COLUMN address text NOT NULL DEFAULT '', ADD COLUMN user_agent text NOT NULL DEFAULT '',
      ADD COLUMN use_time timestamptz;

    CREATE TABLE letters (
      id uuid PRIMARY KEY,
      purpose text NOT NULL CHECK (purpose IN ('RESET', 'VERIFY')),
      email text NOT NULL,
      create_time timestamptz NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      epoch bigint NOT NULL DEFAULT 0,
      next_try_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_letters_due ON letters (next_try_at);

    CREATE TABLE proofs (
      digest bytea PRIMARY KEY CHECK (length(digest) = 32),
      letter_id uuid NOT NULL,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      purpose text NOT NULL CHECK (purpose IN ('RESET', 'VERIFY')),
      email text NOT NULL,
      create_time timestamptz NOT NULL,
      expire_time timestamptz NOT NULL,
      use_time timestamptz
    );
    CREATE INDEX ix_proofs_user ON proofs (user_id, purpose, create_time);
    CREATE INDEX ix_proofs_expire_time ON proofs (expire_time);

    CREATE TABLE role_changes (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      admin_id uuid NOT NULL,
      before text[] NOT NULL,
      after text[] NOT NULL,
      reason text NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_role_changes_user ON role_changes (user_id, id);
    """)
