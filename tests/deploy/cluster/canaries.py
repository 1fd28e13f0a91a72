"""A canary beside the release under test: the chart once more, and the pipeline's own commands for its share and its end."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import kubernetes

from scripts.cluster import tools
from scripts.operate import release, share
from scripts.release import canary, environments, shell
from tests.deploy.cluster import helm as helm_command
from tests.deploy.cluster import shop

NAME = f"{shop.RELEASE}-canary"
PROD = replace(environments.read("prod", {"PAYMENT_METHOD_prod": "card_approved"}), namespace=shop.NAMESPACE)


@dataclass(frozen=True, slots=True)
class Beside:
    """The canary as the pipeline sees it, and what the API says of it."""

    pipeline: canary.Canary
    of: release.Release

    def shared(self, percent: int) -> list[tuple[int, int]]:
        """The weights after it was given a share."""
        self.pipeline.share(percent)
        return self.weights()

    def weights(self) -> list[tuple[int, int]]:
        """The weights of the release's edge and of the canary's, for each Ingress."""
        api = kubernetes.client.NetworkingV1Api(self.of.api)
        found = []
        for ingress in api.list_namespaced_ingress(self.of.namespace).items:
            (text,) = (said for name, said in ingress.metadata.annotations.items() if name.startswith(share.ACTIONS))
            stable, own = json.loads(text)["forwardConfig"]["targetGroups"]
            found.append((stable["weight"], own["weight"]))
        return found

    def take_back(self) -> bool:
        """As the pipeline does: whether there was one."""
        return self.pipeline.take_back()


@contextmanager
def installed(helm: helm_command.Helm, beside: release.Release, folder: Path, version: str) -> Iterator[Beside]:
    """A canary of a version with the values that the pipeline gives it; its secrets are gone at the end."""
    core = kubernetes.client.CoreV1Api(beside.api)
    run = _shell(helm, folder)
    secrets = [name.replace(shop.RELEASE, NAME, 1) for name in shop.secrets()]
    for name in secrets:
        core.create_namespaced_secret(beside.namespace, {"metadata": {"name": name}, "stringData": {"of": "a-test"}})
    try:
        files = ("--values", str(shop.VALUES), "--values", str(folder / canary.values(run, PROD)))
        images = shop.Chart.images(version)
        waiting = ("--namespace", beside.namespace, "--wait", "--timeout", "120s")
        helm("install", NAME, str(shop.CHART), *waiting, *files, *images)
        yield Beside(canary.Canary(run, PROD), release.Release(beside.api, NAME, beside.namespace))
    finally:
        for name in secrets:
            core.delete_namespaced_secret(name, beside.namespace)


def _shell(helm: helm_command.Helm, folder: Path) -> shell.Shell:
    """The pipeline's shell in a folder of its own: our Helm, our Python, and this cluster."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    # A link would not find its packages: Python looks for them beside what it was called as.
    python.write_text(f'#!/bin/sh\ncd {shop.ROOT} && exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    path = f"{tools.path('helm').parent}{os.pathsep}{os.environ['PATH']}"
    return shell.Shell(dry=False, environment={"KUBECONFIG": str(helm.cluster.kubeconfig), "PATH": path}, root=folder)
