"""Users whose accounts were erased. Only adds: code of 0002 does not know the table."""

from alembic import op

revision = "machinery_0003"
down_revision = "machinery_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE erased_users (
      user_id uuid PRIMARY KEY,
      time timestamptz NOT NULL DEFAULT clock_timestamp(),
      looks integer NOT NULL DEFAULT 0,
      next_look_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_erased_users_next_look_at ON erased_users (next_look_at);
    """)
