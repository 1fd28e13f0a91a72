"""What the documents name is there: a table that says which test shows a thing must not outlive the test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DEATHS = (ROOT / "tests" / "faults" / "test_deaths.py").read_text()
TABLE = ARCHITECTURE.partition("dies on the next line")[2].partition("## ")[0]


def all_tests() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:tests|services|gateway|scripts)/[\w/.-]+)`", ARCHITECTURE)))
)
def test_a_file_that_the_architecture_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_row_about_a_death_names_a_test_that_is_there() -> None:
    tests = all_tests()
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`([^`]+)`", row.rstrip("| ").rpartition("|")[2])
        assert named, row
        for name in named:
            assert f"def {name}(" in tests if name.startswith("test_") else _is_a_death(name), name


def _is_a_death(name: str) -> bool:
    """`service-doing-moment`, where `*` is any service: the words stand in the table of those tests."""
    words = [word for word in name.split("-", 2) if word not in {"", "*"}]
    return all(f'"{word}"' in DEATHS for word in words)
