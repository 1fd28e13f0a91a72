"""Mail, logs, databases, keys and passwords lie in the stack's folder: nobody but their owner may read them."""

import stat
from collections.abc import Mapping
from pathlib import Path

PARTS = {"edge", "env", "kafka", "logs", "mail", "postgres", "provider", "redis", "run", "secrets", "stack.json"}


def test_nothing_that_a_stack_keeps_can_be_read_or_entered_by_others(environment: Mapping[str, str]) -> None:
    parts = list(Path(environment["SOUK_STACK_DIR"]).iterdir())
    assert {path.name for path in parts} >= PARTS
    # Whoever cannot enter a folder reaches nothing in it.
    assert [f"{path.name} {stat.filemode(path.stat().st_mode)}" for path in parts if path.stat().st_mode & 0o077] == []


def test_mail_and_logs_are_closed_by_themselves(environment: Mapping[str, str]) -> None:
    folder = Path(environment["SOUK_STACK_DIR"])
    written = [*(folder / "mail").iterdir(), *(folder / "provider").iterdir()]
    assert written
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []
