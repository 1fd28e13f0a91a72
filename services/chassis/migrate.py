"""Migrations: Alembic, forward only, for one service's database: the machinery's tables first, then the service's own.

Two processes that migrate at once wait for each other. A lock that is not to be had within a few seconds ends the
migration, so that it never queues in front of the service's own queries.
"""

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

HERE = Path(__file__).parent / "migrations"
SESSION = "-c lock_timeout=4000 -c statement_timeout=60000"
# Any constant: who holds it migrates this database.
ADVISORY_LOCK = 7305_2026


def migrate(database_url: str, versions: Path) -> None:
    """Bring the database to the newest version of the machinery and of the service's `versions` folder."""
    url = sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url, connect_args={"options": SESSION}, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK})
        connection.commit()
        _upgrade(connection, HERE / "machinery", version_table="machinery_version")
        _upgrade(connection, versions, version_table="version")
    engine.dispose()


def _upgrade(connection: sqlalchemy.Connection, versions: Path, *, version_table: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version_table
    command.upgrade(config, "head")
