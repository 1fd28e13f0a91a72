"""The keys that sign page tokens. Only adds: code of 0001 does not know the table."""

from alembic import op

revision = "machinery_0002"
down_revision = "machinery_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE page_keys (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      secret bytea NOT NULL,
      create_time timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    """)
