import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from scripts.stack.supervise import processes

FOREVER = (sys.executable, "-c", "import time; time.sleep(600)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
)
Start = Callable[..., processes.Record]


def soon(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "did not happen"
        time.sleep(0.01)


@pytest.fixture
def known(tmp_path: Path) -> processes.Processes:
    return processes.Processes(tmp_path)


@pytest.fixture
def start(known: processes.Processes, tmp_path: Path) -> Iterator[Start]:
    started: list[processes.Record] = []

    def start(command: tuple[str, ...], name: str = "sleeper") -> processes.Record:
        program = processes.Program(command, dict(os.environ), tmp_path)
        started.append(known.start(name, program, address="nowhere", fingerprint="f"))
        return started[-1]

    yield start
    for record in started:
        processes.kill(record)


def test_a_process_is_found_again_by_its_record(known: processes.Processes, start: Start) -> None:
    record = start(FOREVER)
    assert known.running("sleeper") == record
    assert known.names() == ("sleeper",)


def test_what_a_process_logs_and_writes_is_its_owners_alone(
    known: processes.Processes, start: Start, tmp_path: Path
) -> None:
    start((sys.executable, "-c", "open('kept', 'w'); import os; os.mkdir('folder'); print('done', flush=True)"))
    soon(lambda: "done" in known.log("sleeper").read_text())
    private = {path: oct(path.stat().st_mode & 0o777) for path in (known.log("sleeper"), tmp_path / "kept")}
    assert set(private.values()) == {"0o600"}
    folders = (known.log("sleeper").parent, tmp_path / "folder", tmp_path / "run")
    assert {oct(path.stat().st_mode & 0o777) for path in folders} == {"0o700"}


def test_a_process_belongs_to_no_terminal_and_to_no_parent_of_ours(start: Start) -> None:
    record = start(FOREVER)
    assert os.getsid(record.pid) != os.getsid(0)
    soon(lambda: os.getpid() not in [parent.pid for parent in psutil.Process(record.pid).parents()])


def test_a_pid_that_another_program_has_by_now_is_not_taken_for_ours(start: Start) -> None:
    record = start(FOREVER)
    stale = replace(record, pid=os.getpid())
    assert record.alive()
    assert not stale.alive()


def test_stopping_a_stale_record_leaves_the_pids_new_owner_alone(start: Start) -> None:
    bystander = start(FOREVER, "bystander")
    stale = replace(bystander, born="another boot:1")
    assert processes.stop(stale, grace=1)
    processes.kill(stale)
    assert bystander.alive()


def test_a_zombie_counts_as_dead() -> None:
    with subprocess.Popen(FOREVER) as child:  # noqa: S603 - a command of this file
        assert processes.birth(child.pid)
        child.kill()
        soon(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
        assert processes.birth(child.pid) is None


def test_a_process_that_heeds_the_signal_ends_by_itself(start: Start) -> None:
    record = start(FOREVER)
    assert processes.stop(record, grace=5)
    assert not record.alive()


def test_a_process_that_does_not_is_killed_after_its_grace(start: Start) -> None:
    record = start(DEAF)
    soon(lambda: "deaf" in Path(record.log).read_text())
    assert not processes.stop(record, grace=0.2)
    assert not record.alive()


def test_a_process_whose_record_was_lost_is_found_as_a_leftover(known: processes.Processes, start: Start) -> None:
    lost, kept = start(FOREVER, "lost"), start(FOREVER, "kept")
    known.forget("lost")
    assert known.leftovers() == {"lost": [lost.pid]}
    processes.end_pids([lost.pid])
    assert not lost.alive()
    assert kept.alive()


def test_a_half_written_record_counts_as_none(known: processes.Processes, start: Start) -> None:
    start(FOREVER)
    (known.folder / "run" / "sleeper.json").write_text('{"name": "sleep')
    assert known.find("sleeper") is None


def test_the_last_words_are_the_error_of_this_run_not_of_an_earlier_one(
    known: processes.Processes, start: Start
) -> None:
    known.log("sleeper").parent.mkdir()
    known.log("sleeper").write_text("OldError: long ago\n")
    record = start((sys.executable, "-c", "raise RuntimeError('the disk is made of cheese')"))
    soon(lambda: not record.alive())
    assert processes.last_words(record) == "RuntimeError: the disk is made of cheese"


def test_a_stack_trace_of_java_is_summed_up_by_its_exception(start: Start) -> None:
    trace = (
        "ERROR Exiting (kafka.Kafka$)\njava.lang.IllegalStateException: no log dir\n\tat kafka.Kafka.main(Kafka.java)\n"
    )
    record = start(("/bin/sh", "-c", f"printf '{trace}'"))
    soon(lambda: not record.alive())
    assert processes.last_words(record) == "java.lang.IllegalStateException: no log dir"


def test_memory_counts_the_children_too(start: Start) -> None:
    with_child = start((sys.executable, "-c", f"import subprocess; subprocess.run({FOREVER!r})"))
    soon(lambda: len(psutil.Process(with_child.pid).children()) == 1)
    alone = processes.memory(start(FOREVER, "alone"))
    soon(lambda: processes.memory(with_child) > alone * 1.5)
