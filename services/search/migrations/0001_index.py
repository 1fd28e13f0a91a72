"""The search index in two slots, what is known of stock and categories, synonyms, and the generation of results."""

from alembic import op

revision = "search_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE EXTENSION IF NOT EXISTS unaccent;
    -- The index is in memory or on an SSD: at the usual 4.0 a word that one product in twelve has is looked for in all of them.
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database()); END $$;
    -- English without accents. The texts of documents come folded; excerpts are made of the original ones.
    CREATE TEXT SEARCH CONFIGURATION souk (COPY = english);
    ALTER TEXT SEARCH CONFIGURATION souk ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;

    -- One index is searched, and at most one is built. Each is in one of two slots, so that a new one needs no DDL.
    CREATE TABLE indexes (
      version bigint PRIMARY KEY,
      slot text NOT NULL CHECK (slot IN ('a', 'b')),
      state text NOT NULL CHECK (state IN ('ACTIVE', 'BUILDING', 'RETIRED')),
      -- How far a build is: the products it has read, and where the next page of products and then of stock begins.
      products_read bigint NOT NULL DEFAULT 0,
      after_product text NOT NULL DEFAULT '',
      products_done boolean NOT NULL DEFAULT false,
      after_stock text NOT NULL DEFAULT '',
      since timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE UNIQUE INDEX uq_indexes_state ON indexes (state) WHERE state <> 'RETIRED';
    -- A shop that had products before it had a search: the first build reads them.
    INSERT INTO indexes (version, slot, state) VALUES (1, 'a', 'ACTIVE'), (2, 'b', 'BUILDING');

    CREATE TABLE documents (
      slot text NOT NULL,
      product_id uuid NOT NULL,
      version bigint NOT NULL CHECK (version > 0),
      -- A deleted product stays as its version: what is told of it late is not newer.
      deleted boolean NOT NULL,
      title text NOT NULL,
      -- The title as its folded words, for what is being typed.
      title_words text NOT NULL,
      description text NOT NULL,
      category text NOT NULL,
      vendor_id uuid,
      image text NOT NULL,
      attributes jsonb NOT NULL,
      skus text[] NOT NULL,
      -- The prices of its variants: currency and minor units, one by one.
      currencies text[] NOT NULL,
      amounts bigint[] NOT NULL,
      -- Attributes as `attributes.name:value`.
      facets text[] NOT NULL,
      in_stock boolean NOT NULL,
      popularity bigint NOT NULL,
      terms tsvector NOT NULL,
      PRIMARY KEY (slot, product_id)
    ) PARTITION BY LIST (slot);
    CREATE TABLE documents_a PARTITION OF documents FOR VALUES IN ('a') WITH (fillfactor = 80);
    CREATE TABLE documents_b PARTITION OF documents FOR VALUES IN ('b') WITH (fillfactor = 80);
    CREATE INDEX ix_documents_terms ON documents USING gin (terms);
    CREATE INDEX ix_documents_facets ON documents USING gin (facets);
    CREATE INDEX ix_documents_skus ON documents USING gin (skus);
    CREATE INDEX ix_documents_title_words ON documents USING gin (title_words gin_trgm_ops);
    CREATE INDEX ix_documents_category ON documents (category, product_id);
    CREATE INDEX ix_documents_popularity ON documents (popularity, product_id);

    -- The words of all documents, by which typing errors are found. Those of deleted products go with the next build.
    CREATE TABLE words (
      slot text NOT NULL,
      word text NOT NULL,
      stem text NOT NULL,
      PRIMARY KEY (slot, word)
    );
    CREATE INDEX ix_words_stem ON words (slot, stem);
    CREATE INDEX ix_words_similar ON words USING gin (word gin_trgm_ops);

    CREATE TABLE levels (
      sku text NOT NULL,
      warehouse text NOT NULL,
      available bigint NOT NULL,
      PRIMARY KEY (sku, warehouse)
    ) WITH (fillfactor = 80);
    -- The sum of a SKU's levels. It is locked by whoever changes the levels, and by whoever writes a document of the SKU.
    CREATE TABLE availability (
      sku text PRIMARY KEY,
      available bigint NOT NULL
    ) WITH (fillfactor = 80);

    CREATE TABLE categories (
      slug text PRIMARY KEY,
      title text NOT NULL,
      parent text NOT NULL
    );
    CREATE TABLE synonyms (
      id text PRIMARY KEY,
      terms text[] NOT NULL,
      update_time timestamptz NOT NULL
    );

    -- The sum changes with every commit that changes what a search finds. Several rows: writers never wait for each other.
    CREATE TABLE generation (
      shard integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      value bigint NOT NULL
    ) WITH (fillfactor = 20);
    INSERT INTO generation (value) SELECT 1 FROM generate_series(1, 16);
    """)
