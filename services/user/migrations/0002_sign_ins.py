"""Sign-ins: families of refresh tokens. And accounts that change, so that they have versions."""

from alembic import op

revision = "user_0002"
down_revision = "user_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE users ADD COLUMN version bigint NOT NULL DEFAULT 1 CHECK (version > 0);

    CREATE TABLE token_families (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      create_time timestamptz NOT NULL,
      expire_time timestamptz NOT NULL,
      revoke_time timestamptz
    );
    CREATE INDEX ix_token_families_user ON token_families (user_id);
    CREATE INDEX ix_token_families_expire_time ON token_families (expire_time);

    CREATE TABLE refresh_tokens (
      digest bytea PRIMARY KEY CHECK (length(digest) = 32),
      family_id uuid NOT NULL REFERENCES token_families (id) ON DELETE CASCADE,
      expire_time timestamptz NOT NULL,
      use_time timestamptz
    );
    CREATE INDEX ix_refresh_tokens_family ON refresh_tokens (family_id);
    CREATE INDEX ix_refresh_tokens_expire_time ON refresh_tokens (expire_time);
    """)
