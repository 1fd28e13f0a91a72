"""The command line of the local stack, as `make` and people use it, on a stack that never was started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import layout

# Two workers of one test run do not meet on one stack.
STACK = f"never-started-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "scripts.stack", "--stack", STACK, *arguments],
        cwd=layout.ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["status"], {}, "this stack was never started: `make run` does"),
        (["kill", "order"], {}, "order does not run in the stack {stack}: see `make status`"),
        (["start", "nonsense"], {}, "the stack {stack} has no process nonsense; it has kafka, postgres, redis"),
        (["up"], {"PORT_BASE": "none"}, "PORT_BASE=none is no port: give a number from 1 to 65535"),
        (
            ["up"],
            {"KAFKA_BOOTSTRAP": "127.0.0.1:9"},
            "KAFKA_BOOTSTRAP is set and 127.0.0.1:9 does not answer as it should: start that server, correct the value",
        ),
        (
            ["up"],
            {"REDIS_URL": "redis://:hidden@127.0.0.1:9/0"},
            "REDIS_URL is set and 127.0.0.1:9 does not answer",
        ),
    ],
)
def test_a_mistake_is_answered_in_one_line_that_says_what_to_do(
    arguments: list[str], environment: dict[str, str], said: str
) -> None:
    done = run(*arguments, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{STACK}: ")
    assert said.format(stack=STACK) in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_stopping_what_does_not_run_is_no_mistake() -> None:
    assert run("down").returncode == 0
    assert run("clean").returncode == 0
    assert not (layout.ROOT / ".souk" / "stacks" / STACK).exists()


def test_a_reader_of_the_logs_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    logs = layout.Stack(STACK).folder / "logs"
    logs.mkdir(parents=True)
    (logs / "order.log").write_text("\n".join(str(number) for number in range(100_000)))
    command = f"{sys.executable} -m scripts.stack --stack {STACK} logs --tail 90000 2>{tmp_path / 'errors'} | head -n 1"
    subprocess.run(command, shell=True, cwd=layout.ROOT, capture_output=True, check=True)  # noqa: S602 - a pipe
    assert (tmp_path / "errors").read_text() == ""
    assert run("clean").returncode == 0


def test_make_help_names_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=layout.ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - make
    targets = "help setup proto run down clean status logs test lint format typecheck bench"
    for target in targets.split():
        assert f"make {target} " in said
