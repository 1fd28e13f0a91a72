"""`make migrations-check`: the migrations since the last release must suit the code that still serves while they run.

A roll-out runs the migrations first and replaces pods after, and a roll-back brings the old code back but never the old
schema. So a migration only adds (expand); what the old code still uses goes one release later (contract). The judge is
squawk, which reads the SQL as PostgreSQL does. A migration answers for itself with two marks beside `revision`:

    contract = "v1.4.0"                        the release whose code stopped using what is taken away here
    blocking = "some hundred rows, ever"       why a lock that is held while a table is read or written is short
"""

import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations

from scripts.release import history
from scripts.stack.supervise import problems

SQUAWK = Path(sys.executable).with_name("squawk")
POSTGRESQL = "16"
FILES = re.compile(r"services/\w+/migrations/(machinery/)?\d\w*\.py")
# What takes something away from the code that is running: allowed when a release stopped using it.
CONTRACTING = {
    "adding-not-nullable-field",
    "adding-required-field",
    "ban-drop-column",
    "ban-drop-database",
    "ban-drop-default",
    "ban-drop-function",
    "ban-drop-not-null",
    "ban-drop-table",
    "ban-drop-type",
    "ban-drop-view",
    "ban-truncate-cascade",
    "changing-column-type",
    "renaming-column",
    "renaming-table",
}
# What squawk lets pass although it holds a table for as long as the table is long.
HEAVY = {
    "whole-table-change": re.compile(r"(UPDATE|DELETE)\b(?!.*\bWHERE\b)", re.DOTALL | re.IGNORECASE),
    "whole-table-lock": re.compile(r"(TRUNCATE|LOCK|CLUSTER|VACUUM\s+FULL)\b", re.IGNORECASE),
}
_BODIES = re.compile(r"\$(\w*)\$.*?\$\1\$|--[^\n]*", re.DOTALL)
# The session of every migration has both timeouts (services/chassis/migrate.py); how wide a number is, is the author's
# choice; and a constraint that goes never breaks the code that keeps it.
NOT_ASKED = (
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",
    "ban-drop-constraint",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a migration, and how it can be made right."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def check(known: history.History) -> list[Finding]:
    """What is wrong with the migrations since the last release; nothing before the first one. Raises a StackError."""
    last = known.last_release()
    if not last:
        return []
    released = [path for path in known.paths(last, "services") if FILES.fullmatch(path)]
    found = [finding for path in released for finding in _changed(known, last, path)]
    for path in sorted(_present(known.root) - set(released)):
        found += judge(known, last, path)
    return found


def judge(known: history.History, last: str, path: str) -> Iterator[Finding]:
    """What is wrong with one migration that came after the release `last`."""
    migration = _load(known.root / path)
    mark = getattr(migration, "contract", "")
    allowed = bool(mark) and known.released_by(mark, last)
    if mark and not allowed:
        yield Finding(path, f"it is marked contract = {mark!r}, which is no release up to {last}")
    sql = _sql(path, migration)
    for rule, message in [*_squawk(path, sql), *_heavy(sql)]:
        if rule in CONTRACTING and not mark:
            yield Finding(path, f"{rule}: {message} The code of {last} may still use it: mark it contract = 'vX.Y.Z'")
        elif rule not in CONTRACTING and not getattr(migration, "blocking", ""):
            yield Finding(path, f"{rule}: {message} Do it without, or say blocking = 'why it is short'")


def _changed(known: history.History, last: str, path: str) -> Iterator[Finding]:
    file = known.root / path
    if not file.exists():
        yield Finding(path, f"it was released with {last} and is gone: databases have run it")
    elif file.read_bytes() != known.content(last, path):
        yield Finding(path, f"it was released with {last} and is changed: write another migration")


def _present(root: Path) -> set[str]:
    found = (str(path.relative_to(root)) for path in root.glob("services/*/migrations/**/*.py"))
    return {path for path in found if FILES.fullmatch(path)}


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise problems.StackError(f"{file} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _sql(path: str, migration: ModuleType) -> str:
    """The SQL that a migration would run. Raises a StackError when it needs a database to say."""
    text = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": text})
    try:
        with Operations.context(context):
            migration.upgrade()
    except Exception as error:
        raise problems.StackError(f"{path} cannot be judged without a database ({error}): write it as SQL") from error
    return text.getvalue()


def _heavy(sql: str) -> Iterator[tuple[str, str]]:
    for statement in _BODIES.sub("", sql).split(";"):
        for rule, pattern in HEAVY.items():
            if pattern.match(statement.strip()):
                yield rule, f"{' '.join(statement.split())[:60]!r} holds the table while it runs."


def _squawk(path: str, sql: str) -> list[tuple[str, str]]:
    """Rule and message of everything squawk objects to."""
    excluded = [f"--exclude={rule}" for rule in NOT_ASKED]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{Path(path).stem}.sql")
        # As Alembic runs it: in a transaction, which an autocommit block ends and begins anew.
        file.write_text(f"BEGIN;\n{sql}\nCOMMIT;\n")
        command = (str(SQUAWK), f"--pg-version={POSTGRESQL}", "--reporter=json", *excluded, str(file))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise problems.StackError(f"squawk: {done.stderr.strip()}")
    objections: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return [(each["rule_name"], each["message"]) for each in objections]
