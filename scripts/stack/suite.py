"""`make test`: a stack of its own is brought up, pytest runs against it, and it is stopped whatever the tests say.

Tests that break the stack (tests/faults) run after all others, and one at a time.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import down, layout, settings, up
from scripts.stack.supervise import component

# How long pytest may take to end after Ctrl-C: it tears its fixtures down.
GRACE_S = 20.0
FAULTS = layout.ROOT / "tests" / "faults"
# What pytest answers when it finds no test: with -k, that may be true of one part and not of the other.
NOTHING_FOUND = 5
# Options of pytest whose next argument is theirs, whatever it looks like.
WITH_VALUE = ("-k", "-m", "-n", "-p")


@dataclass(frozen=True, slots=True)
class Reports:
    """Folders for what a build server publishes: results as JUnit XML, coverage as Cobertura XML. Empty: none."""

    junit: str = ""
    coverage: str = ""

    def options(self, part: int) -> list[str]:
        """What makes pytest write them, each run of it to files of its own."""
        junit = [f"--junitxml={self.junit}/tests-{part}.xml"] if self.junit else []
        measured = ["--cov", "--cov-report=", f"--cov-report=xml:{self.coverage}/coverage-{part}.xml"]
        return [*junit, *(measured if self.coverage else [])]


def run(chosen: up.Run, arguments: Sequence[str], reports: Reports = Reports()) -> int:
    """Answers with pytest's exit code. Raises a StackError when a part of the stack can't be had: nothing is skipped."""
    try:
        up.up(chosen)
        up.load_sample_data(chosen)
        codes = []
        for number, part in enumerate(parts(arguments), start=1):
            chosen.report.say("tests", f"pytest {' '.join(part)}")
            codes.append(_pytest(chosen, [*part, *reports.options(number)]))
        return verdict(codes)
    except component.Cancelled:
        raise KeyboardInterrupt from None
    finally:
        down.down(chosen.chosen.stack, chosen.report)


def parts(arguments: Sequence[str]) -> list[list[str]]:
    """The runs of pytest that these arguments ask for: those that break the stack last, and by themselves."""
    options, paths = _options_and_paths(arguments)
    breaking = [path for path in paths if _file(path).is_relative_to(FAULTS)]
    others = [path for path in paths if path not in breaking]
    folder = str(FAULTS.relative_to(layout.ROOT))
    if not paths or any(FAULTS.is_relative_to(_file(path)) for path in others):
        breaking = [folder]
    runs = []
    if others or not paths:
        runs.append([*options, *others, f"--ignore={folder}"])
    if breaking:
        runs.append([*options, *breaking, "-n", "0"])
    return runs


def verdict(codes: Sequence[int]) -> int:
    """One exit code for several runs: the first that failed. Finding no test fails only when no run found any."""
    failed = [code for code in codes if code not in (0, NOTHING_FOUND)]
    if failed:
        return failed[0]
    return 0 if 0 in codes else NOTHING_FOUND


def _options_and_paths(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    options: list[str] = []
    paths: list[str] = []
    for before, argument in zip(("", *arguments), arguments, strict=False):
        is_path = before not in WITH_VALUE and not argument.startswith("-") and _file(argument).exists()
        (paths if is_path else options).append(argument)
    return options, paths


def _file(argument: str) -> Path:
    return layout.ROOT / argument.partition("::")[0]


def _pytest(chosen: up.Run, arguments: Sequence[str]) -> int:
    environment = settings.tool_environment(chosen.chosen)
    command = (sys.executable, "-m", "pytest", *arguments)
    with subprocess.Popen(command, cwd=layout.ROOT, env=environment) as tests:
        try:
            return tests.wait()
        except KeyboardInterrupt:
            tests.wait(GRACE_S)
            raise
