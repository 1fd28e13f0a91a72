"""The judge of migrations, on planted ones: each as it would be written, in a repository with releases."""

import pytest

from scripts.release import history, migrations
from scripts.stack import layout
from scripts.stack.supervise import problems
from tests.deploy.jenkins.repository import Repository

FIRST, SECOND = "services/order/migrations/0001_orders.py", "services/order/migrations/0002_more.py"


def migration(*sql: str, marks: str = "", before: str = "") -> str:
    executed = "\n".join(f"    op.execute({statement!r})" for statement in sql)
    return (
        f"from alembic import op\nrevision = 'x'\ndown_revision = None\n{marks}\n\ndef upgrade():\n{before}{executed}\n"
    )


def found(repository: Repository) -> list[str]:
    return [str(finding) for finding in migrations.check(history.History(repository.root))]


@pytest.fixture
def released(repository: Repository) -> Repository:
    """v1.0.0 has a table; v1.1.0 changed nothing."""
    repository.commit(FIRST, migration("CREATE TABLE orders (id uuid PRIMARY KEY, total bigint NOT NULL)"))
    repository.tag("v1.0.0")
    repository.commit("README.md", "more")
    repository.tag("v1.1.0")
    return repository


def test_before_the_first_release_no_code_runs_beside(repository: Repository) -> None:
    repository.write(FIRST, migration("DROP TABLE orders"))
    assert found(repository) == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ADD COLUMN note text",
        "ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT ''",
        "CREATE TABLE notes (id uuid PRIMARY KEY, text text NOT NULL); CREATE INDEX ix_notes ON notes (text)",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID",
        "ALTER TABLE orders DROP CONSTRAINT positive",
        "UPDATE orders SET total = 0 WHERE id = 'a0000000-0000-7000-8000-000000000000'",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET total = 1; END $$",
    ],
)
def test_what_only_adds_is_let_through(released: Repository, sql: str) -> None:
    released.write(SECOND, migration(sql))
    assert found(released) == []


def test_an_index_that_is_built_beside_the_traffic_is_let_through(released: Repository) -> None:
    block = "    with op.get_context().autocommit_block():\n        op.execute('CREATE INDEX CONCURRENTLY i ON orders (total)')\n"
    released.write(SECOND, migration("ALTER TABLE orders ADD COLUMN note text", before=block))
    assert found(released) == []


TAKING_AWAY = [
    ("ALTER TABLE orders DROP COLUMN total", "ban-drop-column"),
    ("DROP TABLE orders", "ban-drop-table"),
    ("ALTER TABLE orders RENAME COLUMN total TO sum", "renaming-column"),
    ("ALTER TABLE orders RENAME TO purchases", "renaming-table"),
    ("ALTER TABLE orders ALTER COLUMN total TYPE integer", "changing-column-type"),
    ("ALTER TABLE orders ADD COLUMN note text NOT NULL", "adding-required-field"),
    ("ALTER TABLE orders ALTER COLUMN total SET NOT NULL", "adding-not-nullable-field"),
]
HOLDING = [
    ("CREATE INDEX i ON orders (total)", "require-concurrent-index-creation"),
    ("ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0)", "constraint-missing-not-valid"),
    ("ALTER TABLE orders ADD COLUMN other uuid REFERENCES orders (id)", "adding-foreign-key-constraint"),
    ("UPDATE orders SET total = 0", "whole-table-change"),
    ("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE", "whole-table-lock"),
    ("CREATE INDEX CONCURRENTLY i ON orders (total)", "ban-concurrent-index-creation-in-transaction"),
]


@pytest.mark.parametrize(("sql", "rule"), TAKING_AWAY)
def test_what_the_running_code_may_use_is_not_taken_away(released: Repository, sql: str, rule: str) -> None:
    released.write(SECOND, migration(sql))
    assert any(line.startswith(f"{SECOND}: {rule}: ") and "v1.1.0" in line for line in found(released))


@pytest.mark.parametrize(("sql", "rule"), HOLDING)
def test_what_holds_a_table_is_refused(released: Repository, sql: str, rule: str) -> None:
    released.write(SECOND, migration(sql))
    assert any(line.startswith(f"{SECOND}: {rule}: ") for line in found(released))


@pytest.mark.parametrize("sql", [sql for sql, _ in TAKING_AWAY if "NOT NULL" not in sql])
def test_what_a_release_stopped_using_may_go(released: Repository, sql: str) -> None:
    released.write(SECOND, migration(sql, marks="contract = 'v1.1.0'\nblocking = 'a few rows'"))
    assert found(released) == []


@pytest.mark.parametrize("mark", ["v1.2.0", "v0.9.0", "1.1.0", "soon"])
def test_a_mark_names_a_release_that_is_out(released: Repository, mark: str) -> None:
    released.write(SECOND, migration("ALTER TABLE orders DROP COLUMN total", marks=f"contract = {mark!r}"))
    assert found(released) == [f"{SECOND}: it is marked contract = {mark!r}, which is no release up to v1.1.0"]


def test_a_lock_with_a_reason_is_let_through_and_nothing_more(released: Repository) -> None:
    marks = "blocking = 'a few hundred rows'"
    released.write(SECOND, migration("CREATE INDEX i ON orders (total)", marks=marks))
    assert found(released) == []
    released.write(SECOND, migration("ALTER TABLE orders DROP COLUMN total", marks=marks))
    assert len(found(released)) == 1


def test_a_released_migration_stays_as_it_is(released: Repository) -> None:
    released.write(FIRST, migration("CREATE TABLE orders (id uuid PRIMARY KEY)"))
    assert found(released) == [f"{FIRST}: it was released with v1.1.0 and is changed: write another migration"]
    (released.root / FIRST).unlink()
    assert found(released) == [f"{FIRST}: it was released with v1.1.0 and is gone: databases have run it"]


def test_a_migration_that_asks_its_database_cannot_be_judged(released: Repository) -> None:
    released.write(SECOND, migration(before="    op.get_bind().execute('SELECT 1').scalar()\n"))
    with pytest.raises(problems.StackError, match=r"0002_more\.py cannot be judged without a database"):
        found(released)


def test_every_migration_of_this_repository_can_be_judged() -> None:
    known = history.History(layout.ROOT)
    paths = sorted(migrations._present(layout.ROOT))
    assert "services/order/migrations/0001_orders.py" in paths
    assert "services/chassis/migrations/machinery/0001_machinery.py" in paths
    for path in paths:
        list(migrations.judge(known, "HEAD", path))
