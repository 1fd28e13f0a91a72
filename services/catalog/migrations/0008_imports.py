"""Reports of imports, for whoever repeats one. Only adds: code of before does not import."""

from alembic import op

revision = "catalog_0008"
down_revision = "catalog_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE imports (
      id uuid PRIMARY KEY,
      -- What became of each row: compressed JSON.
      results bytea NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_imports_time ON imports (create_time);
    """)
