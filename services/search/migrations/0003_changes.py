"""Which transaction changed a document last, for answers that are remembered; and which categories were renamed. Only adds.

Code of before writes `changed` when it makes a document and not when it changes one: while both run, a page may be as old as
`SEARCH_CACHE_S`.
"""

from alembic import op

revision = "search_0003"
down_revision = "search_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    -- What is there was changed before anything was remembered.
    ALTER TABLE documents ADD COLUMN changed xid8 NOT NULL DEFAULT '0';
    ALTER TABLE documents ALTER COLUMN changed SET DEFAULT pg_current_xact_id();
    CREATE INDEX ix_documents_changed ON documents (changed);

    -- Categories with another title than their documents are found by, and how far these are written anew.
    CREATE TABLE renamed_categories (
      slug text PRIMARY KEY,
      after_product text NOT NULL DEFAULT ''
    );
    """)
