"""A release tried on a part of the requests before it has them all: a canary beside what is there, in steps, each judged.

The canary is a Helm release of the same chart: the edge and the serve sides of the new version, which call each other alone. The
load balancer gives it a share of the requests; the share grows as long as the canary's own calls keep the error budget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.release import budget, deploy, environments, record, shell
from scripts.stack.supervise import problems

INSTALL = "15m"
TEST = "5m"
# Judges by the calls of pods whose names fit a pattern, and by orders where there are too few. Raises a StackError for a no.
Judge = Callable[[str, Callable[[], None]], budget.Calls]


@dataclass(frozen=True, slots=True)
class Canary:
    """The canary of an environment; `on` is a shell that speaks to its cluster."""

    on: shell.Shell
    where: environments.Environment

    @classmethod
    def of(cls, run: shell.Shell, where: environments.Environment) -> "Canary":
        """The one of this environment."""
        return cls(deploy.cluster(run, where), where)

    @property
    def name(self) -> str:
        """Its release, as values-aws.yaml names it."""
        return f"{self.where.release}-canary"

    def possible(self) -> bool:
        """Whether what is there has a load balancer that can give a canary a share."""
        return self._share("0") != "none"

    def share(self, percent: int) -> None:
        """Give it this share of the requests."""
        self._share(str(percent), "--to", str(percent))

    def install(self, released: record.Record) -> None:
        """Install it without a share; it is ready once the load balancer has found it healthy. Helm undoes what is not."""
        own = values(self.on, self.where)
        pinned = deploy.values(self.on, self.where, released)
        files = [word for path in (*self.where.values, str(pinned), str(own)) for word in ("--values", path)]
        self.on.run(
            *("helm", "upgrade", "--install", self.name, f"oci://{released.registry}/souk/charts/souk"),
            *("--version", released.version, "--namespace", self.where.namespace),
            *files,
            *("--atomic", "--timeout", INSTALL),
        )

    def order(self) -> None:
        """Let a customer of its own buy and pay, through the canary alone. Raises a StackError unless it is confirmed."""
        self.on.run("helm", "test", self.name, "--namespace", self.where.namespace, "--timeout", TEST, "--logs")

    def take_back(self) -> bool:
        """Let no request to it, and remove it: whether there was one. It may be repeated, wherever it stopped."""
        listed = self.on.ask(
            *("helm", "list", "--namespace", self.where.namespace, "--all", "--short", "--filter", f"^{self.name}$"),
            otherwise=self.name,
        )
        if not listed.strip():
            return False
        self._share("0", "--to", "0")
        self.on.run("helm", "uninstall", self.name, "--namespace", self.where.namespace, "--wait", "--timeout", INSTALL)
        return True

    def _share(self, otherwise: str, *to: str) -> str:
        asked = ("--release", self.where.release, "--namespace", self.where.namespace)
        return self.on.ask(
            ".venv/bin/python", "-m", "scripts.cluster", "share", *asked, *to, otherwise=otherwise
        ).strip()


def lead(run: shell.Shell, where: environments.Environment, released: record.Record, judge: Judge) -> str:
    """Lead the release through the environment's steps. Answers with what was done.

    Raises a StackError when a step is judged badly, or anything fails: then no request goes to the canary any more, and it is
    removed.
    """
    if not where.canary.steps:
        return f"none in {where.name}"
    deploy.require_ready(run, where, released)
    canary = Canary.of(run, where)
    if not canary.possible():
        return f"{where.name} has no load balancer that knows a canary yet: the release goes to everybody at once"
    canary.take_back()
    try:
        canary.install(released)
        canary.order()
        for percent in where.canary.steps:
            canary.share(percent)
            seen = judge(f"{canary.name}-.*", canary.order)
            print(f"canary: {percent} % of the requests, {seen.failed:.0f} of {seen.all:.0f} calls failed", flush=True)
    except problems.StackError:
        canary.take_back()
        raise
    shares = ", ".join(f"{percent} %" for percent in where.canary.steps)
    return f"{where.name} took it well: {shares} of the requests"


def values(run: shell.Shell, where: environments.Environment) -> Path:
    """What is different for a canary: its sizes, no way in of its own, and what its test buys."""
    path = shell.FOLDER / f"canary-{where.name}.yaml"
    content = {
        "canary": True,
        "edge": {"autoscaling": {"minReplicas": 2}, "ingress": {"enabled": False}},
        "serve": {"autoscaling": {"minReplicas": 1}},
        "smoke": {"paymentMethod": where.payment_method, "basket": list(where.basket)},
    }
    if not run.dry:
        (run.root / path).parent.mkdir(parents=True, exist_ok=True)
        (run.root / path).write_text(yaml.safe_dump(content))
    return path
