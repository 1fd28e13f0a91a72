"""What is given back for returns. Only adds: code of before hears of no returns."""

from alembic import op

revision = "payment_0007"
down_revision = "payment_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE return_refunds (
      -- The return's, and the refund's.
      id uuid PRIMARY KEY,
      order_id uuid NOT NULL,
      currency text NOT NULL,
      amount bigint NOT NULL CHECK (amount > 0),
      state text NOT NULL CHECK (state IN ('WAITING', 'BEGUN', 'SETTLED')),
      given bigint CHECK (given BETWEEN 0 AND amount),
      attempts integer NOT NULL,
      next_try_at timestamptz,
      create_time timestamptz NOT NULL,
      CONSTRAINT due_while_waiting CHECK ((next_try_at IS NOT NULL) = (state = 'WAITING')),
      CONSTRAINT given_when_settled CHECK ((given IS NOT NULL) = (state = 'SETTLED'))
    );
    CREATE INDEX ix_return_refunds_next_try_at ON return_refunds (next_try_at) WHERE next_try_at IS NOT NULL;
    CREATE INDEX ix_return_refunds_order_id ON return_refunds (order_id);
    """)
