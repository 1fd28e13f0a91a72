"""Sign-in with accounts of other providers: attempts under way, and which account of a provider opens which of ours."""

from alembic import op

revision = "user_0007"
down_revision = "user_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE sign_in_attempts (
      state_digest bytea PRIMARY KEY CHECK (length(state_digest) = 32),
      binding_digest bytea NOT NULL CHECK (length(binding_digest) = 32),
      provider text NOT NULL,
      user_id uuid REFERENCES users (id) ON DELETE CASCADE,
      secrets text NOT NULL,
      create_time timestamptz NOT NULL,
      expire_time timestamptz NOT NULL,
      use_time timestamptz,
      subject text,
      email text NOT NULL DEFAULT '',
      email_verified boolean NOT NULL DEFAULT false,
      name text NOT NULL DEFAULT ''
    );
    CREATE INDEX ix_sign_in_attempts_expire_time ON sign_in_attempts (expire_time);
    CREATE INDEX ix_sign_in_attempts_user ON sign_in_attempts (user_id) WHERE user_id IS NOT NULL;
    CREATE INDEX ix_sign_in_attempts_email ON sign_in_attempts (email) WHERE email <> '';

    CREATE TABLE sign_in_links (
      provider text NOT NULL,
      subject text NOT NULL,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      email text NOT NULL,
      create_time timestamptz NOT NULL,
      PRIMARY KEY (provider, subject)
    );
    CREATE UNIQUE INDEX uq_sign_in_links_user ON sign_in_links (user_id, provider);
    """)
