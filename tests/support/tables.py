"""Whether a migrated database is what the Core tables of a service say."""

from typing import Any

import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.chassis import schema

_NOT_OF_THE_SERVICE = {*schema.METADATA.tables, "version", "machinery_version"}


def differences(url: str, tables: sqlalchemy.MetaData) -> list[Any]:
    """What would have to change for the database to be as the tables say: nothing, when they agree."""
    engine = sqlalchemy.create_engine(
        sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
    )
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": _is_of_the_service}
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), tables)
    engine.dispose()
    return found


def _is_of_the_service(name: str | None, kind: str, _: Any) -> bool:
    return kind != "table" or name not in _NOT_OF_THE_SERVICE
