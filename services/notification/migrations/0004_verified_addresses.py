"""Whether somebody has proved to read mail at a contact's address. Nobody has, as far as is known: until then mail says less.

Code of before 0004 writes contacts without the column, and then the default holds.
"""

from alembic import op

revision = "notification_0004"
down_revision = "notification_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A constant default rewrites no row.
    op.execute("ALTER TABLE contacts ADD COLUMN IF NOT EXISTS email_verified boolean NOT NULL DEFAULT false")
