"""Notes, and how orders are found by SKU, by vendor and by status.

Only adds: orders of code of before are indexed by the trigger as well. Indexes of tables that are there are built beside their
writers. The SKUs of orders that are there are added by 0007, when every new order is indexed.
"""

from alembic import op

revision = "order_0006"
down_revision = "order_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE order_notes (
      id uuid PRIMARY KEY,
      order_id uuid NOT NULL,
      author_id uuid NOT NULL,
      by_staff boolean NOT NULL,
      internal boolean NOT NULL,
      text text NOT NULL,
      create_time timestamptz NOT NULL,
      after_sequence bigint NOT NULL
    );
    CREATE INDEX ix_order_notes_order_id ON order_notes (order_id, id);

    CREATE TABLE order_skus (
      sku text NOT NULL,
      order_id uuid NOT NULL,
      vendor_id text,
      PRIMARY KEY (sku, order_id)
    );
    CREATE INDEX ix_order_skus_vendor_id ON order_skus (vendor_id, order_id) WHERE vendor_id IS NOT NULL;
    CREATE FUNCTION index_order_skus() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO order_skus (sku, order_id, vendor_id)
      SELECT line->>'sku', id, line->>'vendor' FROM written, jsonb_array_elements(lines) AS line
      ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$;
    CREATE TRIGGER index_skus AFTER INSERT ON orders REFERENCING NEW TABLE AS written
      FOR EACH STATEMENT EXECUTE FUNCTION index_order_skus();
    """)
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_sagas_status")
        op.execute("CREATE INDEX CONCURRENTLY ix_sagas_status ON sagas (status, order_id)")
