"""Rolling a release out with Helm, and back: by digest, at once or not at all."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.release import environments, images, record, shell
from scripts.stack.supervise import problems

ROLL_OUT = "15m"
ROLL_BACK = "10m"
KEPT = "20"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision in Helm's history; number 0 when there is none."""

    number: int
    status: str
    description: str


def upgrade(run: shell.Shell, where: environments.Environment, released: record.Record) -> None:
    """Roll the release out, by its digests and only when they are signed; Helm undoes what does not become ready.

    What is there before is noted for `roll_back`. Raises a StackError, also when the environment before this one has not
    verified the same digests, or when the order that will try it could not be paid.
    """
    require_ready(run, where, released)
    on = cluster(run, where)
    (run.root / _done(where)).unlink(missing_ok=True)
    _write(run, run.root / _noted(where), {"revision": newest(on, where, "deployed").number})
    pinned = values(on, where, released)
    files = [word for path in (*where.values, str(pinned)) for word in ("--values", path)]
    on.run(
        *("helm", "upgrade", "--install", where.release, f"oci://{released.registry}/souk/charts/souk"),
        *("--version", released.version, "--namespace", where.namespace),
        *files,
        *("--atomic", "--timeout", ROLL_OUT, "--history-max", KEPT),
    )
    _write(run, run.root / _done(where), {"at": time.time()})


def require_ready(run: shell.Shell, where: environments.Environment, released: record.Record) -> None:
    """Raise a StackError unless the release may go there: signed, verified where it was before, and there is a card to try it."""
    if not where.payment_method and not run.dry:
        raise problems.StackError(
            f"PAYMENT_METHOD_{where.name} is not set: what the order that tries {where.name} is paid with"
        )
    if where.after and not run.dry:
        record.require_verified(run.root, where.after)
    images.verify(run, released)


def seconds_since(run: shell.Shell, where: environments.Environment) -> float:
    """How long ago `upgrade` was complete in this workspace; 0 where it was not."""
    done = run.root / _done(where)
    return max(0.0, time.time() - json.loads(done.read_text())["at"]) if done.exists() else 0.0


def roll_back(run: shell.Shell, where: environments.Environment) -> str:
    """Bring back what was there before `upgrade`. Answers with what was done, which may be nothing."""
    noted = run.root / _noted(where)
    if not noted.exists() and not run.dry:
        return f"nothing was rolled out to {where.name}: nothing to roll back"
    before = json.loads(noted.read_text())["revision"] if noted.exists() else 1
    if not before:
        return f"this was the first release in {where.name}: there is nothing to go back to, so it stays"
    on = cluster(run, where)
    now = newest(on, where)
    if now.status == "deployed" and (now.number == before or now.description == f"Rollback to {before}"):
        return f"{where.name} has revision {before} again already"
    number = str(before)
    on.run("helm", "rollback", where.release, number, "--namespace", where.namespace, "--wait", "--timeout", ROLL_BACK)
    return f"{where.name} is back at revision {before}"


def smoke(run: shell.Shell, where: environments.Environment) -> None:
    """Wait for the roll-out and place an order through the edge, as scripts/cluster does. Raises a StackError."""
    on = cluster(run, where)
    on.run(
        *(".venv/bin/python", "-m", "scripts.cluster", "smoke", "--release", where.release),
        *("--namespace", where.namespace, "--edge-url", where.edge_url, "--payment-method", where.payment_method),
        *(word for item in where.basket for word in ("--sku", item)),
    )


def newest(run: shell.Shell, where: environments.Environment, status: str = "") -> Revision:
    """The newest revision, or the newest of a status. Number 0 when there is none."""
    asked = (
        "helm",
        "list",
        "--namespace",
        where.namespace,
        "--all",
        "--filter",
        f"^{where.release}$",
        "--output",
        "json",
    )
    if not json.loads(run.ask(*asked, otherwise='[{"name": "souk"}]')):
        return Revision(0, "", "")
    history = ("helm", "history", where.release, "--namespace", where.namespace, "--max", KEPT, "--output", "json")
    told: list[dict[str, Any]] = json.loads(run.ask(*history, otherwise="[]"))
    revisions = [Revision(int(each["revision"]), each["status"], each["description"]) for each in told]
    fitting = [revision for revision in revisions if status in ("", revision.status)]
    return max(fitting, key=lambda revision: revision.number, default=Revision(0, "", ""))


def cluster(run: shell.Shell, where: environments.Environment) -> shell.Shell:
    """A shell whose kubectl and helm speak to the environment's cluster, and to no other by mistake."""
    file = str(shell.FOLDER / f"kubeconfig-{where.name}")
    run.run(
        *("aws", "eks", "update-kubeconfig", "--name", where.cluster, "--region", where.region, "--kubeconfig", file)
    )
    return shell.Shell(run.dry, {**run.environment, "KUBECONFIG": file}, run.root)


def values(run: shell.Shell, where: environments.Environment, released: record.Record) -> Path:
    """A file of values with every image by its digest."""
    path = shell.FOLDER / f"values-{where.name}.yaml"
    content = {name: {"tag": released.version, "digest": digest} for name, digest in released.images.items()}
    if not run.dry:
        (run.root / path).write_text(yaml.safe_dump({"imageRegistry": released.registry, "images": content}))
    return path


def _write(run: shell.Shell, path: Path, content: dict[str, float]) -> None:
    if not run.dry:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def _done(where: environments.Environment) -> Path:
    return shell.FOLDER / "rolled-out" / f"{where.name}.json"


def _noted(where: environments.Environment) -> Path:
    return shell.FOLDER / "before" / f"{where.name}.json"


def require_same_commit(released: record.Record, commit: str) -> None:
    """Raise a StackError when the digests are of another commit than the chart's values and this code."""
    if released.commit != commit:
        raise problems.StackError(f"the digests are of commit {released.commit[:8]}, and this is {commit[:8]}")
