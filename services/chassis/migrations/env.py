"""Alembic's environment for every service: the connection and version table that `services.chassis.migrate` chose."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, version_table=context.config.attributes["version_table"], transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
