"""Promotional prices, and the history of what was charged.

Only adds. What a SKU costs is the lower of `price`, the regular one, and `promotional_price`: code of before charges and
writes the regular price. The database itself appends to the history when what is charged changes, once a statement, so that
no writer can forget it, neither code of before nor a bulk import. The history begins with what is charged now, since the
product's last change.
"""

from alembic import op

revision = "catalog_0007"
down_revision = "catalog_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    ALTER TABLE variants
      ADD COLUMN promotional_price bigint CHECK (promotional_price > 0),
      ADD COLUMN promotion_ends timestamptz;

    CREATE TABLE promotional_prices (
      id uuid PRIMARY KEY,
      product_id uuid NOT NULL,
      -- Empty: all SKUs of the product that have this currency.
      sku text NOT NULL,
      currency text NOT NULL,
      price bigint NOT NULL CHECK (price > 0),
      start_time timestamptz NOT NULL,
      end_time timestamptz,
      version bigint NOT NULL,
      state text NOT NULL CHECK (state IN ('SCHEDULED', 'ACTIVE', 'ENDED')),
      -- When it starts or ends next.
      due_time timestamptz
    );
    CREATE INDEX ix_promotional_prices_due ON promotional_prices (due_time) WHERE due_time IS NOT NULL;
    CREATE INDEX ix_promotional_prices_active ON promotional_prices (product_id) WHERE state = 'ACTIVE';

    CREATE TABLE price_history (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      product_id uuid NOT NULL,
      sku text NOT NULL,
      currency text NOT NULL,
      price bigint NOT NULL,
      promotional boolean NOT NULL,
      start_time timestamptz NOT NULL,
      -- The transaction: of several prices in one of them the last was charged, and the others never.
      change bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
    );
    CREATE INDEX ix_price_history_sku ON price_history (sku, id);
    CREATE INDEX ix_price_history_product ON price_history (product_id, id);
    CREATE FUNCTION price_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the history of prices is append-only'; END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_history
      FOR EACH STATEMENT EXECUTE FUNCTION price_history_is_append_only();

    CREATE FUNCTION new_prices_to_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO price_history (product_id, sku, currency, price, promotional, start_time)
      SELECT n.product_id, n.sku, n.currency, least(n.price, n.promotional_price),
        coalesce(n.promotional_price < n.price, false), clock_timestamp()
      FROM new_rows AS n ORDER BY n.sku;
      RETURN NULL;
    END $$;
    CREATE FUNCTION changed_prices_to_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO price_history (product_id, sku, currency, price, promotional, start_time)
      SELECT n.product_id, n.sku, n.currency, least(n.price, n.promotional_price),
        coalesce(n.promotional_price < n.price, false), clock_timestamp()
      FROM new_rows AS n JOIN old_rows AS o USING (sku)
      WHERE (n.currency, least(n.price, n.promotional_price), coalesce(n.promotional_price < n.price, false))
        IS DISTINCT FROM (o.currency, least(o.price, o.promotional_price), coalesce(o.promotional_price < o.price, false))
      ORDER BY n.sku;
      RETURN NULL;
    END $$;
    CREATE TRIGGER new_prices AFTER INSERT ON variants REFERENCING NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION new_prices_to_history();
    CREATE TRIGGER changed_prices AFTER UPDATE ON variants REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION changed_prices_to_history();

    INSERT INTO price_history (product_id, sku, currency, price, promotional, start_time)
    SELECT v.product_id, v.sku, v.currency, v.price, false, p.update_time
    FROM variants AS v JOIN products AS p ON p.id = v.product_id ORDER BY p.update_time, v.sku;
    """)
