"""The chart as one file: `.souk/charts/souk-VERSION.tgz`, its version that of the project or of the release."""

import subprocess
import tomllib
from pathlib import Path

from scripts.cluster import tools
from scripts.stack.supervise import problems

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "helm/souk"
INTO = ROOT / ".souk/charts"


def project_version() -> str:
    """What pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def make(version: str, into: Path = INTO) -> Path:
    """Package the chart with this version for itself and, by default, its images. Raises a StackError when Helm refuses."""
    into.mkdir(parents=True, exist_ok=True)
    asked = ["--version", version, "--app-version", version, "--destination", str(into)]
    done = subprocess.run([tools.path("helm"), "package", CHART, *asked], capture_output=True, text=True, check=False)
    if done.returncode:
        raise problems.StackError(f"chart: helm package: {done.stderr.strip()}")
    return into / f"souk-{version}.tgz"
