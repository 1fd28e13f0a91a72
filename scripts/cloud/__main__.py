"""The cloud's commands, each a list of steps that are shown before they run; with DRY_RUN=1 they are shown and that is all.

    python -m scripts.cloud bootstrap                 the bucket of the state, once for an account
    python -m scripts.cloud plan ENV                  what would change: .souk/cloud/ENV/plan, and plan.txt to read
    python -m scripts.cloud apply ENV                 change exactly that
    python -m scripts.cloud values ENV                Terraform's outputs as values and secret store: .souk/cloud/ENV
    python -m scripts.cloud credentials ENV VERSION   fill the secrets, by a job in the cluster
    python -m scripts.cloud unguard ENV               let go of what must not be destroyed, before it is
    python -m scripts.cloud destroy ENV               destroy an environment that is not guarded

ENV is shared, dev or prod.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.cloud import manifests, values
from scripts.stack.supervise import problems

ROOT = Path(__file__).resolve().parent.parent.parent
TERRAFORM = Path("terraform")
BACKEND = TERRAFORM / "backend.hcl"
ROOTS = {"shared": TERRAFORM / "shared", "dev": TERRAFORM / "envs" / "dev", "prod": TERRAFORM / "envs" / "prod"}

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


def terraform(root: Path, *arguments: str) -> tuple[str, ...]:
    """Terraform in a folder."""
    return ("terraform", f"-chdir={root}", *arguments)


def bootstrap() -> list[Step]:
    """Make the bucket with a state on disk, which then moves into the bucket: both files it writes are to be committed."""
    root = TERRAFORM / "bootstrap"
    return [
        Step(terraform(root, "init", "-input=false")),
        Step(terraform(root, "apply"), needs=_variables(root)),
        Step(terraform(root, "output", "-json"), through=_backend, into=BACKEND),
        Step(terraform(root, "output", "-json"), through=_own_backend, into=root / "state.tf"),
        Step(terraform(root, "init", "-input=false", "-migrate-state", "-force-copy")),
    ]


def plan(name: str) -> list[Step]:
    """Say what would change, for people and for `apply`."""
    root, kept = _root(name), ROOT / ".souk" / "cloud" / name
    return [
        _init(root),
        Step(terraform(root, "plan", "-input=false", f"-out={kept / 'plan'}"), folder=kept, needs=_variables(root)),
        Step(terraform(root, "show", "-no-color", str(kept / "plan")), into=kept / "plan.txt"),
    ]


def apply(name: str) -> list[Step]:
    """Change exactly what the plan says; Terraform refuses a plan that is out of date."""
    root = _root(name)
    return [_init(root), Step(terraform(root, "apply", "-input=false", str(ROOT / ".souk" / "cloud" / name / "plan")))]


def chart_values(name: str) -> list[Step]:
    """Write the values that the chart is installed with, and the store that its secrets are read from."""
    root, kept = _root(name), ROOT / ".souk" / "cloud" / name
    outputs = terraform(root, "output", "-json")
    return [
        _init(root),
        Step(outputs, through=_values, into=kept / "values.yaml"),
        Step(outputs, through=_secret_store, into=kept / "secret-store.yaml"),
        Step(outputs, through=_prometheus, into=kept / "prometheus"),
    ]


def credentials(name: str, version: str) -> list[Step]:
    """Fill the secrets by a job in the cluster, with the image of this version."""
    if not version:
        raise problems.StackError("VERSION=... says which version of the images the job runs")

    def manifest(outputs: str) -> str:
        """scripts.cloud.manifests"""  # noqa: D400, D415 - shown as a part of a command
        return manifests.render(outputs, version)

    job, kubectl = f"job/{manifests.NAME}-fill", ("kubectl", "--namespace=souk")
    return [
        _init(_root(name)),
        # A job that is done can't be changed into another.
        Step((*kubectl, "delete", job, "--ignore-not-found")),
        Step(terraform(_root(name), "output", "-json"), through=manifest, then=("kubectl", "apply", "-f", "-")),
        Step((*kubectl, "wait", "--for=condition=complete", "--timeout=15m", job)),
    ]


def unguard(name: str) -> list[Step]:
    """Forget the guards: the next plan with `guarded = false` may destroy what they stood before."""
    root = _root(name)
    guards = ("kafka", "postgres", "redis")
    addresses = [f"module.platform.module.{part}.module.guard.terraform_data.this[0]" for part in guards]
    return [_init(root), Step(terraform(root, "state", "rm", *addresses))]


def destroy(name: str) -> list[Step]:
    """Destroy it; Terraform asks before it does."""
    return [_init(_root(name)), Step(terraform(_root(name), "destroy"), needs=_variables(_root(name)))]


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


def _init(root: Path) -> Step:
    backend = os.path.relpath(BACKEND, root)
    return Step(terraform(root, "init", "-input=false", "-reconfigure", f"-backend-config={backend}"), needs=BACKEND)


def _variables(root: Path) -> Path:
    return root / "terraform.tfvars"


def _root(name: str) -> Path:
    if name not in ROOTS:
        raise problems.StackError(f"ENV={name or '...'}: there are {', '.join(ROOTS)}")
    return ROOTS[name]


def _backend(outputs: str) -> str:
    """scripts.cloud backend"""  # noqa: D400, D415 - shown as a part of a command
    settings = json.loads(outputs)["backend"]["value"]
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


def _own_backend(outputs: str) -> str:
    """scripts.cloud backend"""  # noqa: D400, D415 - shown as a part of a command
    settings = [
        *_backend(outputs).splitlines(),
        'key = "souk/bootstrap.tfstate"',
        "encrypt = true",
        "use_lockfile = true",
    ]
    return "\n".join(["terraform {", '  backend "s3" {', *(f"    {line}" for line in settings), "  }", "}", ""])


def _values(outputs: str) -> str:
    """scripts.cloud.values"""  # noqa: D400, D415 - shown as a part of a command
    return values.render(outputs)


def _secret_store(outputs: str) -> str:
    """scripts.cloud.values"""  # noqa: D400, D415 - shown as a part of a command
    return values.secret_store(outputs)


def _prometheus(outputs: str) -> str:
    """scripts.cloud.values"""  # noqa: D400, D415 - shown as a part of a command
    return values.prometheus(outputs)


_COMMANDS: dict[str, Callable[..., list[Step]]] = {
    "bootstrap": bootstrap,
    "plan": plan,
    "apply": apply,
    "values": chart_values,
    "credentials": credentials,
    "unguard": unguard,
    "destroy": destroy,
}


def main(arguments: Sequence[str]) -> int:
    """Answers with a process exit code; a problem is one line on stderr."""
    if not arguments or arguments[0] not in _COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        run(_COMMANDS[arguments[0]](*arguments[1:]), dry=os.environ.get("DRY_RUN", "0") not in {"", "0"})
    except problems.StackError as problem:
        print(f"cloud: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
