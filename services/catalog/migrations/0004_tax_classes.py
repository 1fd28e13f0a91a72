"""The class by which a product is taxed. Only adds: code of before leaves it empty, which is the standard rate."""

from alembic import op

revision = "catalog_0004"
down_revision = "catalog_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE products ADD COLUMN tax_class text NOT NULL DEFAULT ''")
