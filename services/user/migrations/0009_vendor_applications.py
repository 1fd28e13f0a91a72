"""Applications to become a vendor. A person has one at most that is not decided."""

from alembic import op

revision = "user_0009"
down_revision = "user_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE vendor_applications (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      state text NOT NULL CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
      shop_name text NOT NULL,
      legal_name text NOT NULL,
      country text NOT NULL,
      tax_number text NOT NULL,
      contact text NOT NULL,
      create_time timestamptz NOT NULL,
      decide_time timestamptz,
      reason text NOT NULL DEFAULT '',
      CHECK ((decide_time IS NULL) = (state = 'PENDING'))
    );
    CREATE INDEX ix_vendor_applications_user ON vendor_applications (user_id, id);
    CREATE INDEX ix_vendor_applications_state ON vendor_applications (state, id);
    CREATE UNIQUE INDEX uq_vendor_applications_pending ON vendor_applications (user_id) WHERE state = 'PENDING';
    """)
