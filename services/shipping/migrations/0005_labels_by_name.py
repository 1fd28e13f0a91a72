"""Parcels are found by the carrier's name of their label, which its webhooks say. Only adds, beside the running service.

A run that was cut short leaves an index that is not valid, which the next run drops.
"""

from alembic import op

revision = "shipping_0005"
down_revision = "shipping_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_parcels_reference")
        op.execute("CREATE INDEX CONCURRENTLY ix_parcels_reference ON parcels (reference) WHERE reference <> ''")
