"""Steps of the cloud's commands: programs that are shown before they run, or only shown."""

import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.supervise import problems

ROOT = Path(__file__).resolve().parent.parent.parent

# What is committed by whoever uses this repository, so that every agent has it: no secret is in it.
MEANINGS = {
    "terraform.tfvars": "{missing} is not there: copy terraform.tfvars.example beside it, fill it in and commit it",
    "backend.hcl": "{missing} is not there: `make tf-bootstrap` writes it, once for an account; commit it",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A command; what it prints may go through a function into a file or into another command. `needs`: what must be there."""

    command: tuple[str, ...]
    through: Callable[[str], str] | None = None
    into: Path | None = None
    then: tuple[str, ...] = ()
    folder: Path | None = None
    needs: Path | None = None

    def __str__(self) -> str:
        shown = shlex.join(self.command)
        shown += f" | {self.through.__doc__}" if self.through else ""
        shown += f" | {shlex.join(self.then)}" if self.then else ""
        shown += f" > {self.into}" if self.into else ""
        return shown.replace(f"{ROOT}/", "")


def run(steps: Sequence[Step], *, dry: bool) -> None:
    """Show each step and run it. Raises a StackError when one fails, and before the first where something is missing."""
    for missing in dict.fromkeys(step.needs for step in steps if step.needs) if not dry else ():
        if not (ROOT / missing).exists():
            raise problems.StackError(MEANINGS[missing.name].format(missing=missing))
    for step in steps:
        print(f"+ {step}", flush=True)
        if not dry:
            _run(step)


def _run(step: Step) -> None:
    captured = step.into is not None or bool(step.then)
    if step.folder is not None:
        step.folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            step.command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE if captured else None
        )
        text = step.through(done.stdout) if step.through else done.stdout
        if step.into is not None:
            (ROOT / step.into).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / step.into).write_text(text)
        if step.then:
            subprocess.run(step.then, cwd=ROOT, check=True, text=True, input=text)
    except FileNotFoundError as error:
        raise problems.StackError(f"{error.filename} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise problems.StackError(f"`{shlex.join(error.cmd)}` failed with {error.returncode}") from error
