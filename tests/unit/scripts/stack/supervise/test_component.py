"""How one process is brought up, with real processes that are nothing but a listening socket."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.stack.supervise import component, ports, problems, processes, progress

SERVER = "import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(600)"
Make = Callable[..., component.Component]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[component.Starter]:
    known = processes.Processes(tmp_path)
    yield component.Starter(known, progress.Silent(), threading.Event())
    for name in known.names():
        record = known.find(name)
        if record:
            processes.kill(record)


@pytest.fixture
def make(port: int, tmp_path: Path) -> Make:
    def make(script: str = SERVER, **changes: Any) -> component.Component:
        command = (sys.executable, "-c", script.format(port=port))
        made = component.Component(
            name="server",
            program=processes.Program(command, dict(os.environ), tmp_path),
            address=f"127.0.0.1:{port}",
            ports=(port,),
            variable="PORT_BASE",
            healthy=lambda: ports.open_at("127.0.0.1", port),
            fingerprint="as it was",
            patience_s=10,
        )
        return replace(made, **changes)

    return make


def test_a_process_is_started_once_and_then_reused(starter: component.Starter, make: Make) -> None:
    assert starter.ensure(make())
    first = starter.running.running("server")
    assert not starter.ensure(make())
    assert starter.running.running("server") == first
    assert starter.started == ["server"]


def test_a_killed_process_is_started_again(starter: component.Starter, make: Make) -> None:
    starter.ensure(make())
    first = starter.running.running("server")
    assert first
    processes.kill(first)
    assert starter.ensure(make())


def test_a_process_with_other_settings_is_replaced(starter: component.Starter, make: Make) -> None:
    starter.ensure(make())
    first = starter.running.running("server")
    assert first
    assert starter.ensure(make(fingerprint="as it is now"))
    assert not first.alive()


def test_a_process_that_dies_is_reported_with_its_last_words_and_its_log(
    starter: component.Starter, make: Make
) -> None:
    with pytest.raises(problems.StackError) as raised:
        starter.ensure(make("raise SystemExit('fatal: cannot read my settings')"))
    message = str(raised.value)
    assert message.startswith("server died; its last words: fatal: cannot read my settings")
    assert str(starter.running.log("server")) in message
    assert "\n" not in message


def test_a_process_that_never_answers_is_reported_after_its_time(starter: component.Starter, make: Make) -> None:
    silent = "import time; print('error: still warming up', flush=True); time.sleep(600)"
    with pytest.raises(problems.StackError, match=r"does not answer at .* last words: error: still warming up"):
        starter.ensure(make(silent, patience_s=1))


def test_a_stranger_on_the_port_is_not_taken_for_the_server(starter: component.Starter, make: Make, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(problems.StackError, match="is in use by"):
        starter.ensure(make())
    assert starter.started == []


def test_an_interrupt_ends_the_waiting_and_leaves_the_name_of_what_was_started(
    starter: component.Starter, make: Make
) -> None:
    starter.cancelled.set()
    with pytest.raises(component.Cancelled):
        starter.ensure(make())
    assert starter.started == ["server"]
