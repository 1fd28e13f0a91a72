"""Promotions, their codes, and which orders use them."""

from alembic import op

revision = "promotion_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE promotions (
      id uuid PRIMARY KEY,
      terms jsonb NOT NULL,
      automatic boolean NOT NULL,
      most_uses bigint NOT NULL CHECK (most_uses >= 0),
      uses bigint NOT NULL,
      start_time timestamptz,
      end_time timestamptz,
      create_time timestamptz NOT NULL,
      update_time timestamptz NOT NULL,
      version bigint NOT NULL CHECK (version > 0),
      CONSTRAINT uses_within_limit CHECK (uses >= 0 AND (most_uses = 0 OR uses <= most_uses))
    );
    CREATE INDEX ix_promotions_automatic ON promotions (end_time) WHERE automatic;

    CREATE TABLE code_batches (
      id uuid PRIMARY KEY,
      promotion_id uuid NOT NULL REFERENCES promotions (id),
      count bigint NOT NULL CHECK (count > 0),
      create_time timestamptz NOT NULL
    );

    CREATE TABLE codes (
      code text PRIMARY KEY,
      promotion_id uuid NOT NULL REFERENCES promotions (id),
      batch_id uuid NOT NULL REFERENCES code_batches (id),
      most_uses bigint NOT NULL CHECK (most_uses >= 0),
      uses bigint NOT NULL,
      CONSTRAINT code_uses_within_limit CHECK (uses >= 0 AND (most_uses = 0 OR uses <= most_uses))
    );
    CREATE INDEX ix_codes_promotion ON codes (promotion_id, code);

    -- An order may ask for a promotion that does not exist, and is refused it.
    CREATE TABLE redemptions (
      order_id uuid NOT NULL,
      promotion_id uuid NOT NULL,
      code text NOT NULL,
      user_id uuid NOT NULL,
      currency text NOT NULL CHECK (length(currency) = 3),
      discount bigint NOT NULL,
      status text NOT NULL CHECK (status IN ('CLAIMED', 'COMMITTED', 'RELEASED', 'REFUSED')),
      refusal text NOT NULL,
      claim_time timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (order_id, promotion_id)
    );
    CREATE INDEX ix_redemptions_customer ON redemptions (promotion_id, user_id)
      WHERE status IN ('CLAIMED', 'COMMITTED');
    """)
