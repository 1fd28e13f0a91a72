"""What is known of products, stock and orders, and what orders count for, in two slots."""

from alembic import op

revision = "recommendation_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- One row. Counts are read in `slot`; while they are made anew (stage is not READY) the other slot has those of the orders up
    -- to `after_order`. Whoever counts locks the row, for share; whoever takes the build further, for update.
    CREATE TABLE model (
      id boolean PRIMARY KEY DEFAULT true CHECK (id),
      slot smallint NOT NULL CHECK (slot IN (0, 1)),
      stage text NOT NULL CHECK (stage IN ('READY', 'PRODUCTS', 'STOCK', 'ORDERS')),
      -- Where the next page of products or stock begins, and how many orders have been counted anew.
      after text NOT NULL DEFAULT '',
      after_order uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
      recounted bigint NOT NULL DEFAULT 0,
      since timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- A shop that had products before it recommended them: the first build reads them.
    INSERT INTO model (slot, stage) VALUES (0, 'PRODUCTS');

    -- Counts name products by number: a pair of them is 8 bytes, not 32.
    CREATE TABLE products (
      number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      product_id uuid NOT NULL UNIQUE,
      version bigint NOT NULL,
      -- A deleted product stays as its version: what is told of it late is not newer.
      deleted boolean NOT NULL,
      title text NOT NULL,
      category text NOT NULL,
      image text NOT NULL,
      currency text NOT NULL,
      amount bigint NOT NULL,
      featured boolean NOT NULL,
      create_time timestamptz NOT NULL
    );
    CREATE INDEX ix_products_newest ON products (featured, create_time) WHERE NOT deleted;
    -- Which product a SKU is of, for ever; listed: the product has it now.
    CREATE TABLE skus (
      sku text PRIMARY KEY,
      product integer NOT NULL,
      listed boolean NOT NULL
    );
    CREATE INDEX ix_skus_product ON skus (product);
    CREATE TABLE levels (
      sku text NOT NULL,
      warehouse text NOT NULL,
      available bigint NOT NULL,
      PRIMARY KEY (sku, warehouse)
    ) WITH (fillfactor = 80);

    -- Confirmed orders, of which all counts are made. waiting: a SKU is of a product that nobody told of yet.
    CREATE TABLE baskets (
      order_id uuid PRIMARY KEY,
      -- Nobody's when the customer was forgotten.
      user_id uuid,
      time timestamptz NOT NULL,
      skus text[] NOT NULL,
      waiting boolean NOT NULL
    );
    CREATE INDEX ix_baskets_user ON baskets (user_id, order_id) WHERE user_id IS NOT NULL;
    CREATE INDEX ix_baskets_waiting ON baskets (order_id) WHERE waiting;
    -- Who was forgotten, for as long as something of theirs may still be on its way.
    CREATE TABLE forgotten (
      user_id uuid PRIMARY KEY,
      time timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    -- By period: orders; orders with a product, and their heat; orders with two products, the smaller number first.
    CREATE TABLE order_counts (
      slot smallint NOT NULL,
      period integer NOT NULL,
      orders bigint NOT NULL,
      PRIMARY KEY (slot, period)
    ) WITH (fillfactor = 20);
    CREATE TABLE item_counts (
      slot smallint NOT NULL,
      period integer NOT NULL,
      product integer NOT NULL,
      orders bigint NOT NULL,
      heat double precision NOT NULL,
      PRIMARY KEY (slot, period, product)
    ) PARTITION BY LIST (slot);
    CREATE TABLE item_counts_0 PARTITION OF item_counts FOR VALUES IN (0) WITH (fillfactor = 70);
    CREATE TABLE item_counts_1 PARTITION OF item_counts FOR VALUES IN (1) WITH (fillfactor = 70);
    CREATE TABLE pair_counts (
      slot smallint NOT NULL,
      period integer NOT NULL,
      low integer NOT NULL,
      high integer NOT NULL,
      orders integer NOT NULL,
      PRIMARY KEY (slot, period, low, high)
    ) PARTITION BY LIST (slot);
    CREATE TABLE pair_counts_0 PARTITION OF pair_counts FOR VALUES IN (0) WITH (fillfactor = 80);
    CREATE TABLE pair_counts_1 PARTITION OF pair_counts FOR VALUES IN (1) WITH (fillfactor = 80);
    CREATE INDEX ix_pair_counts_high ON pair_counts (slot, period, high);
    """)
