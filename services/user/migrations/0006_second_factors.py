"""Second factors: what authenticators were told, the last step that counted, digests of recovery codes."""

from alembic import op

revision = "user_0006"
down_revision = "user_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE second_factors (
      user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
      secret text NOT NULL,
      create_time timestamptz NOT NULL,
      enable_time timestamptz,
      used_step bigint NOT NULL DEFAULT 0,
      wrong_codes integer NOT NULL DEFAULT 0,
      wrong_since timestamptz,
      recovery_digests bytea[] NOT NULL DEFAULT '{}'
    );
    """)
