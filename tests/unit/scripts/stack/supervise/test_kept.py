"""What takes minutes to make is made once, by one command at a time, and what was interrupted is gone on with."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.stack.supervise import kept, problems, progress

CACHE = kept.Cache("test", space=1)
SILENT = progress.Silent()

Fill = Callable[[Path, kept.Build], None]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "souk" / "test" / "tool-1"


def _folder(home: Path, fill: Fill) -> kept.Folder:
    return kept.Folder("tool", home, "building", fill)


def _write(into: Path, _build: kept.Build) -> None:
    (into / "tool").write_text("made")


def _must_not_run(_into: Path, _build: kept.Build) -> None:
    pytest.fail("it is there already")


def test_what_is_made_is_kept_and_nothing_else(home: Path) -> None:
    def fill(into: Path, build: kept.Build) -> None:
        (build.scratch / "compiled").mkdir()
        _write(into, build)

    CACHE.make([_folder(home, fill)], SILENT)
    CACHE.make([_folder(home, _must_not_run)], SILENT)
    assert (home / "tool").read_text() == "made"
    assert sorted(path.name for path in home.parent.iterdir()) == ["building.lock", "tool-1"]


def test_what_a_machine_brings_along_is_taken_as_it_is(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = tmp_path / "brought"
    (brought / "test" / "tool-1").mkdir(parents=True)
    (brought / "test" / "tool-1" / "tool").write_text("brought")
    monkeypatch.setenv("SOUK_TOOLS", str(brought))
    other = home.with_name("tool-2")
    CACHE.make([_folder(home, _must_not_run), _folder(other, _write)], SILENT)
    assert (home / "tool").read_text() == "brought"
    # What it does not bring is made beside it, and nothing is written to what it brings.
    assert (other / "tool").read_text() == "made"
    assert sorted(path.name for path in (brought / "test").iterdir()) == ["tool-1"]


def test_an_interrupted_build_leaves_what_the_next_goes_on_from_and_nothing_half_made(home: Path) -> None:
    def interrupted(into: Path, build: kept.Build) -> None:
        (build.scratch / "compiled").write_text("half the work")
        (into / "half").write_text("")
        raise KeyboardInterrupt

    def rest(into: Path, build: kept.Build) -> None:
        (into / "tool").write_text((build.scratch / "compiled").read_text())

    with pytest.raises(KeyboardInterrupt):
        CACHE.make([_folder(home, interrupted)], SILENT)
    assert not home.exists()
    CACHE.make([_folder(home, rest)], SILENT)
    assert [path.name for path in home.iterdir()] == ["tool"]
    assert (home / "tool").read_text() == "half the work"


def test_of_two_commands_at_once_one_builds_and_the_other_waits_for_it(home: Path) -> None:
    building, go_on = threading.Event(), threading.Event()
    said: list[str] = []

    class Waiting(progress.Silent):
        def say(self, part: str, text: str) -> None:
            said.append(f"{part}: {text}")
            go_on.set()

    def slowly(into: Path, build: kept.Build) -> None:
        building.set()
        assert go_on.wait(10)
        _write(into, build)

    first = threading.Thread(target=CACHE.make, args=([_folder(home, slowly)], SILENT))
    first.start()
    assert building.wait(10)
    CACHE.make([_folder(home, _must_not_run)], Waiting())
    first.join()
    assert said == ["test: another command is building its tools: waiting for it"]


def test_what_a_killed_command_left_running_still_holds_the_lock(home: Path) -> None:
    held: list[int] = []
    inode = "import os, sys; print(os.fstat(int(sys.argv[1])).st_ino)"

    def fill(_into: Path, build: kept.Build) -> None:
        held.append(int(build.run([sys.executable, "-c", inode, str(build.lock)])))

    CACHE.make([_folder(home, fill)], SILENT)
    assert held == [(home.parent / "building.lock").stat().st_ino]


def test_a_command_that_fails_is_told_in_one_line_with_its_last_words(home: Path) -> None:
    says = "import sys; sys.exit('first\\nsecond\\nthird\\nlast')"
    with pytest.raises(problems.StackError, match=r"failed: second / third / last$"):
        CACHE.make([_folder(home, lambda _, build: _run(build, says))], SILENT)


def _run(build: kept.Build, code: str) -> None:
    build.run([sys.executable, "-c", code])


def test_nothing_is_begun_on_a_disk_that_is_too_full(home: Path) -> None:
    with pytest.raises(problems.StackError, match="are needed"):
        kept.Cache("test", space=1 << 60).make([_folder(home, _must_not_run)], SILENT)


def test_what_an_interrupted_build_has_taken_already_is_not_asked_for_again(home: Path) -> None:
    scratch = home.parent / "building"
    scratch.mkdir(parents=True)
    with (scratch / "compiled").open("wb") as sparse:
        os.truncate(sparse.fileno(), 1 << 40)
    kept.Cache("test", space=1 << 40).make([_folder(home, _write)], SILENT)
    assert home.is_dir()
