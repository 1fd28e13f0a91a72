"""Helm on the simulated cluster, with a home of its own, so that it touches nobody's settings."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.cluster import layout, tools


class RefusedError(AssertionError):
    """Helm, or kubectl, ended with an error: what it said."""


@dataclass(frozen=True, slots=True)
class Helm:
    """The commands of a person with a KUBECONFIG."""

    cluster: layout.Cluster
    timeout_s: float = 180

    def __call__(self, *arguments: str) -> str:
        """Run helm: what it printed. Raises RefusedError when it ends with an error."""
        return self._run(str(tools.path("helm")), *arguments)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl: what it printed. Raises RefusedError when it ends with an error."""
        return self._run(str(tools.path("kubectl")), *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(  # noqa: S603 - the project's own tools
            command, env=self._environment(), capture_output=True, text=True, timeout=self.timeout_s, check=False
        )
        if done.returncode:
            raise RefusedError(f"{Path(command[0]).name} {' '.join(command[1:])}: {done.stderr.strip() or done.stdout}")
        return done.stdout

    def _environment(self) -> Mapping[str, str]:
        home = self.cluster.folder / "helm"
        homes = {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        return {**os.environ, **homes, "KUBECONFIG": str(self.cluster.kubeconfig)}
