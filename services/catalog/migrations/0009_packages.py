"""How units are packed. Only adds: code of before leaves it as it is, or null in new rows, which is not known."""

from alembic import op

revision = "catalog_0009"
down_revision = "catalog_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE variants ADD COLUMN package jsonb")
