"""What each of the cloud's commands runs, as lists of steps."""

import json
import os
from pathlib import Path

from scripts.cloud import controllers, manifests, values
from scripts.cloud.steps import ROOT, Step
from scripts.stack.supervise import problems

PYTHON = ".venv/bin/python"
TERRAFORM = Path("terraform")
BACKEND = TERRAFORM / "backend.hcl"
# What only the controllers understand.
CLUSTER_WIDE = (Path("k8s/prometheus/rules.yaml"),)
ENVIRONMENTS = TERRAFORM / "envs"
ROOTS = {
    "shared": TERRAFORM / "shared",
    **{folder.name: ENVIRONMENTS / folder.name for folder in sorted((ROOT / ENVIRONMENTS).iterdir())},
}


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


def install_controllers(name: str) -> list[Step]:
    """Install the controllers that the chart counts on, and what only they understand: nodes, signatures, alerts."""
    root, kept = _root(name), Path(".souk") / "cloud" / name / "controllers"
    write = (PYTHON, "-m", "scripts.cloud.controllers", str(kept))
    made = (kept / "nodes.yaml", kept / controllers.SIGNED.name)
    applied = [word for file in (*made, *CLUSTER_WIDE) for word in ("--filename", str(file))]
    return [
        _init(root),
        Step(terraform(root, "output", "-json"), then=write),
        *(Step(release.install(kept / f"{release.name}.yaml")) for release in controllers.releases()),
        Step(("kubectl", "apply", *applied)),
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


def _init(root: Path) -> Step:
    backend = [os.path.relpath(BACKEND, root)]
    if root.parent == ENVIRONMENTS:
        # What environments have alike they have by links: each has a state of its own by its name alone.
        backend.append(f"key=souk/{root.name}.tfstate")
    chosen = (f"-backend-config={setting}" for setting in backend)
    return Step(terraform(root, "init", "-input=false", "-reconfigure", *chosen), needs=BACKEND)


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
