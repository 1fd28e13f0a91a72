"""The key of a message gains its channel in two steps: code of before the first, and of between them, runs on beside each."""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from services.chassis import assembly, migrate
from tests.support import postgres

# What code of 0001 runs, word for word but for the arrays.
INSERT_OF_0001 = """
INSERT INTO notifications (id, user_id, template, occasion_id, subject, details, create_time, state)
VALUES (%(id)s, %(user)s, %(template)s, %(occasion)s, 'Hello', '{}', now(), 'QUEUED')
ON CONFLICT (occasion_id, template) DO NOTHING
"""
CONTACT_OF_0001 = """
INSERT INTO contacts (user_id, email, display_name) VALUES (%(user)s, %(email)s, 'Ann')
ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, display_name = excluded.display_name
"""
CLAIM_OF_0001 = """
UPDATE notifications SET epoch = epoch + 1, attempts = attempts + 1, next_try_at = clock_timestamp() + interval '1 s'
WHERE id = (SELECT id FROM notifications WHERE next_try_at <= statement_timestamp() LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
# What code of 0002 runs.
CLAIM_OF_0002 = CLAIM_OF_0001.replace("next_try_at <=", "channel = 'EMAIL' AND next_try_at <=")
INSERT_OF_0002 = """
INSERT INTO notifications (id, user_id, template, occasion_id, subject, details, create_time, state)
VALUES (%(id)s, %(user)s, %(template)s, %(occasion)s, 'Hello', '{}', now(), 'QUEUED')
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Schema:
    """A database that migrations are tried on, one after the other."""

    url: str
    folder: Path

    def migrate(self, *revisions: str) -> None:
        """Bring the database to the last of these migrations: those of the service whose names begin so."""
        for path in assembly.migrations("notification").glob("*.py"):
            if path.name[:4] in revisions:
                shutil.copy(path, self.folder)
        migrate.migrate(self.url, self.folder)

    def run(self, statement: str, **values: str) -> int:
        """How many rows a statement touched."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode(), values).rowcount

    def told(self, statement: str, occasion: str, template: str = "welcome") -> int:
        """Queue a message with this statement: how many rows it wrote."""
        values = {"id": str(uuid.uuid4()), "user": str(uuid.uuid4()), "occasion": occasion, "template": template}
        return self.run(statement, **values)


@pytest.fixture
def schema(postgres_admin_url: str, tmp_path: Path) -> Iterator[Schema]:
    """A database with nothing but the machinery's tables and those of 0001."""
    with postgres.empty_database(postgres_admin_url, "notification") as url:
        made = Schema(sqlalchemy.make_url(url).render_as_string(hide_password=False), tmp_path)
        made.migrate("0001")
        yield made


def test_code_of_before_runs_beside_the_first_step(schema: Schema) -> None:
    before, after = str(uuid.uuid4()), str(uuid.uuid4())
    assert schema.told(INSERT_OF_0001, before) == 1
    schema.migrate("0001", "0002")
    for occasion, rows in ((before, 0), (after, 1), (after, 0)):
        assert schema.told(INSERT_OF_0001, occasion) == rows
    user = str(uuid.uuid4())
    for email in ("ann@example.com", "anna@example.com"):
        assert schema.run(CONTACT_OF_0001, user=user, email=email) == 1
    assert schema.run(CLAIM_OF_0001) == 1
    assert schema.run("SELECT 1 FROM notifications WHERE channel = 'EMAIL'") == 2


def test_code_of_the_first_step_knows_what_code_of_before_told(schema: Schema) -> None:
    occasion = str(uuid.uuid4())
    schema.migrate("0001", "0002")
    assert schema.told(INSERT_OF_0001, occasion) == 1
    assert schema.told(INSERT_OF_0002, occasion) == 0
    assert schema.told(INSERT_OF_0002, occasion, "order_confirmed") == 1


def test_the_first_step_is_done_to_its_end_after_it_was_cut_short(schema: Schema) -> None:
    # As a run leaves it whose index could not be built.
    schema.run("ALTER TABLE notifications ADD COLUMN channel text NOT NULL DEFAULT 'EMAIL'")
    schema.run("CREATE INDEX ix_notifications_due ON notifications (channel)")
    schema.migrate("0001", "0002")
    assert schema.run("SELECT 1 FROM pg_indexes WHERE indexname = 'uq_notifications_occasion'") == 1
    assert schema.run("SELECT 1 FROM pg_indexes WHERE indexdef LIKE '%%(channel, next_try_at)%%'") == 1


# What code of now runs, for one channel.
INSERT_OF_0003 = """
INSERT INTO notifications (id, user_id, template, occasion_id, subject, details, create_time, state, channel)
VALUES (%(id)s, %(user)s, %(template)s, %(occasion)s, 'Hello', '{}', now(), 'QUEUED', 'SMS')
ON CONFLICT (occasion_id, template, channel) DO NOTHING
"""


def test_code_of_the_first_step_runs_beside_the_second_and_sends_no_text_message_by_mail(schema: Schema) -> None:
    occasion = str(uuid.uuid4())
    schema.migrate("0001", "0002")
    assert schema.told(INSERT_OF_0002, occasion) == 1
    assert schema.run(CLAIM_OF_0002) == 1
    schema.migrate("0001", "0002", "0003")
    assert schema.told(INSERT_OF_0002, occasion) == 0
    assert [schema.told(INSERT_OF_0003, occasion) for _ in range(2)] == [1, 0]
    assert schema.run(CLAIM_OF_0002) == 0


def test_between_the_steps_no_second_channel_fits(schema: Schema) -> None:
    occasion = str(uuid.uuid4())
    schema.migrate("0001", "0002")
    assert schema.told(INSERT_OF_0002, occasion) == 1
    with pytest.raises(psycopg.errors.UniqueViolation):
        schema.told(INSERT_OF_0003, occasion)


def test_a_migration_that_cannot_have_its_lock_gives_up_and_changes_nothing(schema: Schema) -> None:
    schema.migrate("0001", "0002")
    with psycopg.connect(schema.url) as busy:
        busy.execute("SELECT 1 FROM notifications")
        with pytest.raises(sqlalchemy.exc.OperationalError, match="lock timeout"):
            schema.migrate("0001", "0002", "0003")
    assert schema.told(INSERT_OF_0001, str(uuid.uuid4())) == 1
    schema.migrate("0001", "0002", "0003")
