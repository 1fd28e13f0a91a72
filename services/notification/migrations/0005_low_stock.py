"""SKUs that fell low and of which their vendors were not told yet. Only adds: code of 0004 runs on beside it."""

from alembic import op

revision = "notification_0005"
down_revision = "notification_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE low_stock (
      sku text PRIMARY KEY,
      available bigint NOT NULL,
      threshold bigint NOT NULL,
      since timestamptz NOT NULL
    );
    """)
