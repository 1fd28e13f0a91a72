"""The program of a hook, run for real with the rights of its service account: what a simulated node does not do."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.cluster import helm as helm_command
from tests.deploy.cluster import shop

CERTIFICATES = "certificates"
_RIGHTS = ("ServiceAccount", "Role", "RoleBinding")


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of the release that is installed: its account's name, its command, and the way into the cluster as that account."""

    account: str
    command: Sequence[str]
    kubeconfig: Path

    def run(self) -> str:
        """Run its program here: what it printed. Raises AssertionError when it ends with an error."""
        done = subprocess.run(  # noqa: S603 - a program of this repository
            [sys.executable, *self.command],
            cwd=shop.ROOT,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def opened(helm: helm_command.Helm, component: str, folder: Path) -> Iterator[Hook]:
    """A hook as the chart renders it. Helm removed its account when it had succeeded: it is there again for the block."""
    text = helm("get", "hooks", shop.RELEASE, "--namespace", shop.NAMESPACE)
    documents = [document for document in yaml.safe_load_all(text) if document]
    own = [item for item in documents if item["metadata"]["labels"]["app.kubernetes.io/component"] == component]
    [job] = [item for item in own if item["kind"] == "Job"]
    rights = folder / "rights.yaml"
    rights.write_text(yaml.safe_dump_all([item for item in own if item["kind"] in _RIGHTS]))
    helm.kubectl("apply", "--namespace", shop.NAMESPACE, "--filename", str(rights))
    try:
        yield _hook(helm, job, folder)
    finally:
        helm.kubectl("delete", "--namespace", shop.NAMESPACE, "--filename", str(rights))


def _hook(helm: helm_command.Helm, job: dict[str, Any], folder: Path) -> Hook:
    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    # The image's Python becomes this one.
    command: list[str] = [*container["command"], *container["args"]][1:]
    account = pod["serviceAccountName"]
    token = helm.kubectl("create", "token", account, "--namespace", shop.NAMESPACE).strip()
    config = yaml.safe_load(helm.cluster.kubeconfig.read_text())
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return Hook(account, command, file)
