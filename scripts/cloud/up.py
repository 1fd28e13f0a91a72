"""An environment from an empty account to a confirmed order: stages, each of which can be repeated.

What is done is noted in `.souk/cloud/ENV/up.json`, so that the same command goes on where it stopped. A stage that depends on the
version is done again for another one.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from scripts.cloud import commands, steps
from scripts.cloud.steps import Step
from scripts.release import environments
from scripts.stack.supervise import places, problems
from services import registry

# RDS signs with a CA of its own: AWS's bundle, as its user guide names it.
RDS_CA = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
VALUES = "helm/souk/values-aws.yaml"
# What services are told of the systems outside: which of these are reached with a secret, and which by a role.
OUTSIDE = Path("helm/souk/values.yaml")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which environment, with which version of the images, and who administers the shop."""

    name: str = ""
    version: str = ""
    administrator: str = ""

    def __post_init__(self) -> None:
        """Raise a StackError with what is missing."""
        asked = {
            "ENV=...": self.name,
            "VERSION=... (of the images and the chart)": self.version,
            "ADMIN_EMAIL=... (who administers the shop)": self.administrator,
        }
        if missing := [what for what, given in asked.items() if not given]:
            raise problems.StackError(f"not set: {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class Stage:
    """What is done in one go. `versioned`: done again for another version. `hint`: what to look at when it fails."""

    name: str
    steps: Callable[[], list[Step]]
    versioned: bool = False
    hint: str = ""


@dataclass(slots=True)
class Progress:
    """Which stages are done, by the version that they were done for, kept in a file."""

    file: Path
    done: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Progress":
        """What the file says; nothing is done without one."""
        return cls(file, json.loads(file.read_text()) if file.exists() else {})

    def has(self, stage: Stage, version: str) -> bool:
        """Whether this stage needs no repetition."""
        return stage.name in self.done and (not stage.versioned or self.done[stage.name] == version)

    def note(self, stage: Stage, version: str) -> None:
        """It is done."""
        self.done[stage.name] = version
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.done, indent=2) + "\n")


def run(wish: Wish, *, dry: bool) -> None:
    """Do what is not done yet; dry: only show it. Raises a StackError that names the stage that failed."""
    where = environments.read(wish.name, os.environ)
    progress = Progress.read(_kept(wish) / "up.json")
    # Every stage speaks to this environment's cluster, and to no other by mistake.
    os.environ["KUBECONFIG"] = str(_kept(wish) / "kubeconfig")
    for stage in stages(wish, where):
        if progress.has(stage, wish.version):
            print(f"= {stage.name}: done")
            continue
        print(f"= {stage.name}", flush=True)
        try:
            steps.run(stage.steps(), dry=dry)
        except problems.StackError as problem:
            hint = f" ({stage.hint})" if stage.hint else ""
            raise problems.StackError(
                f"{stage.name}: {problem}{hint}; the same command goes on from this stage"
            ) from problem
        if not dry:
            progress.note(stage, wish.version)


def stages(wish: Wish, where: environments.Environment) -> list[Stage]:
    """All of them, in their order."""
    name = wish.name
    return [
        Stage("state", _state),
        Stage("shared", lambda: [*commands.plan("shared"), *commands.apply("shared")]),
        Stage("images", lambda: _images(wish), versioned=True, hint="docs/release.md: what builds images"),
        Stage(
            "environment",
            lambda: [*commands.plan(name), *commands.apply(name)],
            hint="docs/aws.md: a new zone waits for your registrar",
        ),
        Stage("values", lambda: commands.chart_values(name)),
        Stage("access", lambda: _access(where), hint="docs/aws.md: the way to the cluster's API"),
        Stage("controllers", lambda: commands.install_controllers(name)),
        Stage("namespace", lambda: _namespace(wish, where)),
        Stage("outside", lambda: _outside(wish, where), hint="docs/aws.md: put-secret-value, by hand"),
        Stage("credentials", lambda: commands.credentials(name, wish.version), versioned=True),
        Stage("shop", lambda: _shop(wish, where), versioned=True),
        Stage("goods", lambda: _goods(wish, where)),
        Stage("order", lambda: _order(where), versioned=True),
    ]


def _kept(wish: Wish) -> Path:
    return steps.ROOT / ".souk" / "cloud" / wish.name


def _state() -> list[Step]:
    return [] if (steps.ROOT / commands.BACKEND).exists() else commands.bootstrap()


def _images(wish: Wish) -> list[Step]:
    """What is built has the version of the commit's tag: it must be the one that was asked for."""
    registry_url, signing_key = (
        commands.terraform(commands.ROOTS["shared"], "output", "-raw", name) for name in ("registry", "signing_key")
    )
    return [
        Step(("git", "describe", "--tags", "--exact-match", "--match", f"v{wish.version}")),
        Step(("make", "release-images")),
        Step(("make", "sbom")),
        Step(registry_url, then=("xargs", "-I{}", "make", "images-push", "REGISTRY={}")),
        # Where the pipeline signs, the cluster lets in nothing else.
        Step(signing_key, then=("xargs", "-I{}", "make", "images-sign", "SIGNING_KEY={}")),
    ]


def _access(where: environments.Environment) -> list[Step]:
    named = ("aws", "eks", "update-kubeconfig", "--name", where.cluster, "--region", where.region)
    return [Step(named), Step(("kubectl", "get", "--raw", "/readyz", "--request-timeout=15s"))]


def _namespace(wish: Wish, where: environments.Environment) -> list[Step]:
    kept = Path(".souk/cloud") / wish.name
    files = ("k8s/namespace.yaml", "k8s/priority-classes.yaml", str(kept / "secret-store.yaml"))
    bundle, kubectl = str(kept / "rds.pem"), ("kubectl", "--namespace", where.namespace)
    config_map = ("create", "configmap", "rds-ca", f"--from-file=rds.pem={bundle}", "--dry-run=client", "--output=yaml")
    return [
        Step(("kubectl", "apply", *(word for file in files for word in ("--filename", file)))),
        Step(("curl", "--fail", "--silent", "--show-error", "--output", bundle, RDS_CA)),
        Step((*kubectl, *config_map), then=("kubectl", "apply", "--filename", "-")),
    ]


def _outside(wish: Wish, where: environments.Environment) -> list[Step]:
    """Ask for the secrets that an operator fills in: a secret without a value is an error."""
    told = yaml.safe_load((places.ROOT / OUTSIDE).read_text())["outside"]
    known = registry.load().services.values()
    systems = sorted({system for service in known for system in service.outside if told[system]["secrets"]})
    asked = ("aws", "secretsmanager", "get-secret-value", "--region", where.region, "--query", "Name")
    return [Step((*asked, "--secret-id", f"souk/{wish.name}/{system}")) for system in systems]


def _shop(wish: Wish, where: environments.Environment) -> list[Step]:
    chart = f".souk/charts/souk-{wish.version}.tgz"
    values = [word for file in where.values for word in ("--values", file)]
    return [
        Step((commands.PYTHON, "-m", "scripts.generate.chart", "package", "--version", wish.version)),
        Step(
            (
                *("helm", "upgrade", "--install", where.release, chart, "--namespace", where.namespace, *values),
                *("--set", f"administrator.email={wish.administrator}", "--atomic", "--timeout", "15m"),
            )
        ),
    ]


def _goods(wish: Wish, where: environments.Environment) -> list[Step]:
    secret = ("--secret-id", f"souk/{wish.name}/admin", "--query", "SecretString", "--output", "text")
    # By REST through the edge, also where a local stack's addresses are known.
    told = (f"EDGE_URL={where.edge_url}", f"ADMIN_EMAIL={wish.administrator}", "CATALOG_ADDR=", "INVENTORY_ADDR=")
    # The password goes through a pipe, never through a command line.
    piped = ("sh", "-c", 'ADMIN_PASSWORD=$(cat) exec "$@"', "sh", "env", *told)
    return [
        Step(
            ("aws", "secretsmanager", "get-secret-value", "--region", where.region, *secret),
            through=_password,
            then=(*piped, commands.PYTHON, "-m", "scripts.sample_data"),
        )
    ]


def _password(secret: str) -> str:
    """the password in it"""  # noqa: D400, D403, D415 - shown as a part of a command
    return str(json.loads(secret)["password"])


def _order(where: environments.Environment) -> list[Step]:
    return [
        Step(
            (
                *(commands.PYTHON, "-m", "scripts.cluster", "smoke", "--release", where.release),
                *("--namespace", where.namespace, "--edge-url", where.edge_url),
                *("--payment-method", where.payment_method),
                *(word for item in where.basket for word in ("--sku", item)),
            )
        )
    ]
