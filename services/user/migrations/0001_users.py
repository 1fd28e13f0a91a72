"""Accounts."""

from alembic import op

revision = "user_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE users (
      id uuid PRIMARY KEY,
      email text NOT NULL CONSTRAINT uq_users_email UNIQUE CHECK (email = lower(email)),
      display_name text NOT NULL,
      roles text[] NOT NULL CHECK (roles <@ ARRAY['CUSTOMER', 'VENDOR', 'ADMIN'] AND cardinality(roles) > 0),
      password_hash text NOT NULL,
      create_time timestamptz NOT NULL
    );
    """)
