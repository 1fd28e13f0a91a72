"""Titles in one form (NFC): a title that was typed with its accents apart is found by one that was not."""

from alembic import op

revision = "catalog_0003"
down_revision = "catalog_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE products SET title = normalize(title, NFC) WHERE title IS NOT NFC NORMALIZED;")
