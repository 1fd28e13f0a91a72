"""What people keep."""

from alembic import op

revision = "search_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE entries (
      user_id uuid PRIMARY KEY,
      text text NOT NULL,
      version bigint NOT NULL CHECK (version > 0)
    );
    """)
