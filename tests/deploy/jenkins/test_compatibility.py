"""`make breaking`, on contracts of its own that are compiled and compared for real."""

import pytest

from scripts.release import compatibility, history, shell
from scripts.stack import layout
from scripts.stack.supervise import problems
from tests.deploy.jenkins.repository import Repository

CONTRACT = """syntax = "proto3";
package souk.shelf.v1;
message Book { string title = 1; int32 pages = 2; }
service ShelfService { rpc GetBook(Book) returns (Book); }
"""
FILE = "proto/souk/shelf/v1/shelf.proto"


def check(repository: Repository) -> str:
    if not (venv := repository.root / ".venv").exists():
        venv.symlink_to(layout.ROOT / ".venv")
        repository.write(".git/info/exclude", ".venv\n")
    return compatibility.check(shell.Shell(dry=False, root=repository.root), history.History(repository.root))


@pytest.fixture
def shelf(repository: Repository) -> Repository:
    repository.write("proto/buf.yaml", (layout.ROOT / "proto" / "buf.yaml").read_text())
    repository.commit(FILE, CONTRACT)
    return repository


def test_before_the_first_release_nothing_breaks(shelf: Repository) -> None:
    shelf.write(FILE, CONTRACT.replace("pages = 2", "pages = 3"))
    assert check(shelf) == "there is no release yet: nothing to break"


def test_what_is_added_breaks_nothing(shelf: Repository) -> None:
    shelf.tag("v1.0.0")
    shelf.write(FILE, CONTRACT.replace("pages = 2;", "pages = 2; string author = 3;"))
    assert check(shelf) == "the contract keeps what v1.0.0 promised"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("int32 pages = 2;", ""),
        ("int32 pages = 2", "int32 pages = 3"),
        ("int32 pages", "string pages"),
        ("rpc GetBook(Book) returns (Book);", ""),
        ("souk.shelf.v1", "souk.shelf.v2"),
    ],
)
def test_what_was_promised_and_is_changed_is_refused(
    shelf: Repository, capfd: pytest.CaptureFixture[str], was: str, becomes: str
) -> None:
    shelf.tag("v1.0.0")
    shelf.write(FILE, CONTRACT.replace(was, becomes))
    with pytest.raises(problems.StackError, match=r"not what v1\.0\.0 promised"):
        check(shelf)
    assert "shelf.proto" in capfd.readouterr().out


def test_a_release_itself_is_held_against_the_one_before(shelf: Repository) -> None:
    shelf.tag("v1.0.0")
    shelf.commit(FILE, CONTRACT.replace("int32 pages = 2;", ""))
    shelf.tag("v1.1.0")
    with pytest.raises(problems.StackError, match=r"not what v1\.0\.0 promised"):
        check(shelf)
