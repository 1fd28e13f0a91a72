"""Attributes, pictures, the shop's window, deletion; and categories in a tree.

SKUs of deleted products, and those that a product no longer offers, stay taken: somebody's stock and orders know them. So
a product's variants may share a position with withdrawn ones, and the unique constraint on it goes.
"""

from alembic import op

revision = "catalog_0002"
down_revision = "catalog_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE categories ADD COLUMN parent text CHECK (parent <> slug)
      CONSTRAINT fk_categories_parent REFERENCES categories (slug);

    ALTER TABLE products
      ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
      ADD COLUMN images jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(images) = 'array'),
      ADD COLUMN featured boolean NOT NULL DEFAULT false,
      ADD COLUMN delete_time timestamptz;
    CREATE INDEX ix_products_vendor ON products (vendor_id, id);
    CREATE INDEX ix_products_featured ON products (id) WHERE featured AND delete_time IS NULL;
    CREATE INDEX ix_products_title ON products (lower(title) text_pattern_ops);

    ALTER TABLE variants ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;
    CREATE INDEX ix_variants_product ON variants (product_id, position);
    ALTER TABLE variants DROP CONSTRAINT uq_variants_position;
    """)
