"""Access tokens that are refused before they expire."""

from alembic import op

revision = "user_0003"
down_revision = "user_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE revocations (
      subject_id uuid PRIMARY KEY,
      least_version bigint NOT NULL DEFAULT 0 CHECK (least_version >= 0),
      revoke_time timestamptz NOT NULL,
      expire_time timestamptz NOT NULL
    );
    CREATE INDEX ix_revocations_revoke_time ON revocations (revoke_time);
    CREATE INDEX ix_revocations_expire_time ON revocations (expire_time);
    """)
