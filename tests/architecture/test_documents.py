"""What the documents name is there: a table that says which test shows a thing must not outlive the test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()
DEATHS = "\n".join((ROOT / "tests" / "faults" / name).read_text() for name in ("deaths.py", "test_deaths.py"))
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


def claims(page: str) -> list[str]:
    """The rows of the page's tables that end with the tests that show them."""
    tables = re.findall(r"^\|[^\n]*\| shown by \|\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", page, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


def missing(row: str) -> list[str]:
    """What the last cell of a row names in backquotes, as `file::test` below `tests/`, and is not there."""
    named = re.findall(r"`([^`]+)`", row.rstrip("| ").rpartition("|")[2])
    return [name for name in named if not _is_a_test(*name.partition("::")[::2])] if named else [row]


def _is_a_test(file: str, name: str) -> bool:
    path = ROOT / "tests" / file
    return name.startswith("test_") and path.is_file() and f"def {name}(" in path.read_text()


def test_every_claim_about_security_names_tests_that_are_there() -> None:
    rows = claims(SECURITY)
    assert len(rows) > 50
    assert [name for row in rows for name in missing(row)] == []


@pytest.mark.parametrize(
    "shown_by",
    [
        "",
        "nothing",
        "`architecture/test_documents.py`",
        "`architecture/test_documents.py::test_no_such`",
        "`no.py::test_x`",
    ],
)
def test_a_claim_without_a_test_is_noticed(shown_by: str) -> None:
    page = f"| defended | shown by |\n|---|---|\n| nothing gets in | {shown_by} |\n"
    [row] = claims(page)
    assert missing(row)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|services|gateway|scripts)/[\w/.-]+)`", SECURITY))))
def test_a_file_that_the_page_on_security_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()
