"""Runs the programs of a release, or only says which it would run."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack.supervise import problems

ROOT = Path(__file__).resolve().parents[2]
# Everything a release leaves behind for its next stages; kept out of git.
FOLDER = Path(".souk/release")


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs programs in the repository. A dry one prints the commands and runs none.

    `environment` is added to the process's own, for every program.
    """

    dry: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT

    def run(self, *command: str) -> None:
        """Run a program and show what it says. Raises a StackError when it fails or is not installed."""
        self._print(command)
        if not self.dry:
            self._finished(command, capture=False)

    def ask(self, *command: str, otherwise: str) -> str:
        """What a program answers on standard output; `otherwise` in a dry run. Raises a StackError as `run` does."""
        self._print(command)
        return otherwise if self.dry else self._finished(command, capture=True).stdout

    def overhear(self, *command: str, otherwise: str) -> str:
        """As `ask`, with what the program says on standard error besides: some programs answer there."""
        self._print(command)
        if self.dry:
            return otherwise
        done = self._finished(command, capture=True)
        return done.stdout + done.stderr

    def succeeds(self, *command: str) -> bool:
        """Whether a program ends well; True in a dry run. Raises a StackError only when it is not installed."""
        self._print(command)
        return self.dry or self._started(command, capture=True).returncode == 0

    def _print(self, command: tuple[str, ...]) -> None:
        print(f"+ {shlex.join(command)}", flush=True)

    def _finished(self, command: tuple[str, ...], *, capture: bool) -> subprocess.CompletedProcess[str]:
        done = self._started(command, capture=capture)
        if done.returncode:
            said = (done.stderr or "").strip().splitlines()
            why = f": {said[-1]}" if said else " (see above)"
            raise problems.StackError(f"{command[0]} failed with exit code {done.returncode}{why}")
        return done

    def _started(self, command: tuple[str, ...], *, capture: bool) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        try:
            return subprocess.run(
                command, cwd=self.root, env=environment, capture_output=capture, text=True, check=False
            )
        except FileNotFoundError:
            raise problems.StackError(
                f"{command[0]} is not installed: docs/release.md says what an agent needs; DRY_RUN=1 only prints"
            ) from None
