"""Categories, products and their variants."""

from alembic import op

revision = "catalog_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE categories (
      slug text PRIMARY KEY,
      title text NOT NULL
    );

    CREATE TABLE products (
      id uuid PRIMARY KEY,
      title text NOT NULL,
      description text NOT NULL,
      category text NOT NULL REFERENCES categories (slug),
      vendor_id uuid,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL,
      version bigint NOT NULL CHECK (version > 0)
    );
    CREATE INDEX ix_products_category ON products (category, id);

    CREATE TABLE variants (
      sku text PRIMARY KEY,
      product_id uuid NOT NULL REFERENCES products (id),
      position smallint NOT NULL,
      title text NOT NULL,
      currency text NOT NULL CHECK (length(currency) = 3),
      price bigint NOT NULL CHECK (price > 0),
      CONSTRAINT uq_variants_position UNIQUE (product_id, position)
    );
    """)
