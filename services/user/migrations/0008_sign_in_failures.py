"""Sign-ins that failed, by account and network, so that guessing is throttled; and the network that each sign-in came from."""

from alembic import op

revision = "user_0008"
down_revision = "user_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE sign_in_failures (
      key bytea PRIMARY KEY CHECK (length(key) = 32),
      failures integer NOT NULL CHECK (failures >= 0),
      next_try_time timestamptz NOT NULL,
      expire_time timestamptz NOT NULL
    );
    CREATE INDEX ix_sign_in_failures_expire_time ON sign_in_failures (expire_time);

    ALTER TABLE token_families ADD COLUMN network text NOT NULL DEFAULT '';
    """)
    # Of IPv6 the network is not the address: those of before are known again from their next sign-in on.
    op.execute("UPDATE token_families SET network = address WHERE position(':' IN address) = 0")
