"""How often each user changed orders beside placing them: by it a copy of the database is known to have it. Only adds."""

from alembic import op

revision = "order_0011"
down_revision = "order_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE own_writes (user_id uuid PRIMARY KEY, writes bigint NOT NULL) WITH (fillfactor = 70)")
