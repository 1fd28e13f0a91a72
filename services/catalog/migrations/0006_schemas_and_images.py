"""What products of a category must say of themselves, and uploaded images. Only adds: code of before sees neither."""

from alembic import op

revision = "catalog_0006"
down_revision = "catalog_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE category_schemas (
      category text NOT NULL REFERENCES categories (slug),
      version bigint NOT NULL CHECK (version > 0),
      json_schema json NOT NULL,
      actor text NOT NULL,
      create_time timestamptz NOT NULL,
      PRIMARY KEY (category, version)
    );

    ALTER TABLE products ADD COLUMN gallery jsonb NOT NULL DEFAULT '[]';

    CREATE TABLE image_uploads (
      id uuid PRIMARY KEY,
      product_id uuid NOT NULL REFERENCES products (id),
      content_type text NOT NULL,
      actor text NOT NULL,
      state text NOT NULL CHECK (state IN ('AWAITED', 'ATTACHED', 'REMOVED')),
      expire_time timestamptz NOT NULL,
      due_time timestamptz NOT NULL
    );
    CREATE INDEX ix_image_uploads_product ON image_uploads (product_id);
    CREATE INDEX ix_image_uploads_due ON image_uploads (due_time);
    """)
