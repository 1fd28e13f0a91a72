"""What reduced prices are compared with. Only adds: documents of before say nothing of it until their product changes."""

from alembic import op

revision = "search_0002"
down_revision = "search_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Beside `amounts`, one by one; 0 for a price that is not reduced.
    op.execute("ALTER TABLE documents ADD COLUMN earlier bigint[] NOT NULL DEFAULT '{}'")
