"""Indexes that are mirrored outside of the database, and the queue of documents that a mirror lacks. Only adds.

Triggers number the documents and fill the queue, so that whoever writes documents does, also a release of before this one.
"""

from alembic import op

revision = "search_0004"
down_revision = "search_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- The name of the index outside that has the documents of this one; empty for none.
    ALTER TABLE indexes ADD COLUMN mirror text NOT NULL DEFAULT '';
    -- A build that has read everything, and waits until its mirror has all documents up to this revision.
    ALTER TABLE indexes ADD COLUMN complete_at bigint;

    -- Orders the states of a document: a mirror never replaces one by an earlier one.
    CREATE SEQUENCE document_revisions;
    ALTER TABLE documents ADD COLUMN revision bigint NOT NULL DEFAULT 0;
    -- The folded words of attributes, variants and category. Documents of before say nothing of it; a mirror begins with a build.
    ALTER TABLE documents ADD COLUMN details text NOT NULL DEFAULT '';

    CREATE TABLE pushes (
      slot text NOT NULL,
      product_id uuid NOT NULL,
      revision bigint NOT NULL,
      -- The revision from which on the mirror lacks the document.
      lacking bigint NOT NULL,
      time timestamptz NOT NULL DEFAULT clock_timestamp(),
      leased_until timestamptz NOT NULL DEFAULT '-infinity',
      PRIMARY KEY (slot, product_id)
    ) WITH (fillfactor = 70);
    CREATE INDEX ix_pushes_lacking ON pushes (lacking);

    CREATE FUNCTION number_document() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.revision := nextval('document_revisions');
      RETURN NEW;
    END $$;
    CREATE TRIGGER number_document BEFORE INSERT OR UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION number_document();

    CREATE FUNCTION push_documents() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO pushes AS p (slot, product_id, revision, lacking)
      SELECT c.slot, c.product_id, c.revision, c.revision
      FROM changed AS c JOIN indexes AS i ON i.slot = c.slot AND i.state <> 'RETIRED' AND i.mirror <> ''
      ORDER BY c.slot, c.product_id
      ON CONFLICT (slot, product_id) DO UPDATE SET revision = excluded.revision
      WHERE p.revision < excluded.revision;
      RETURN NULL;
    END $$;
    CREATE TRIGGER push_new_documents AFTER INSERT ON documents REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION push_documents();
    CREATE TRIGGER push_changed_documents AFTER UPDATE ON documents REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION push_documents();
    """)
