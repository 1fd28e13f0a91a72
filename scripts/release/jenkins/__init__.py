"""Jenkins as code: its chart, its plugins, its configuration and its job, installed with what stands beside this file.

plugins.txt   the plugins, pinned
casc.yaml     what is configured, and the job
values.yaml   its Helm chart, pinned, and the chart's values
"""

from pathlib import Path
from typing import Any

import yaml

from scripts.release import shell

HERE = Path(__file__).parent
NAMESPACES = "k8s/jenkins/namespaces.yaml"
VALUES = shell.FOLDER / "jenkins.yaml"


def plugins() -> list[str]:
    """The plugins as NAME:VERSION."""
    lines = (HERE / "plugins.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def values() -> dict[str, Any]:
    """The chart's values, plugins and configuration included."""
    chosen: dict[str, Any] = _chart()["values"]
    controller = chosen["controller"]
    controller["installPlugins"] = plugins()
    controller["JCasC"]["configScripts"] = {"souk": (HERE / "casc.yaml").read_text()}
    return chosen


def install(run: shell.Shell) -> None:
    """Install Jenkins, or bring it up to date, in the cluster that kubectl speaks to. Raises a StackError."""
    chart = _chart()
    (run.root / VALUES).parent.mkdir(parents=True, exist_ok=True)
    (run.root / VALUES).write_text(yaml.safe_dump(values(), sort_keys=False))
    run.run("kubectl", "apply", "--filename", NAMESPACES)
    run.run(
        *("helm", "upgrade", "--install", "jenkins", chart["chart"], "--repo", chart["repository"]),
        *("--version", chart["version"], "--namespace", chart["namespace"], "--values", str(VALUES)),
        *("--atomic", "--timeout", "15m"),
    )


def _chart() -> dict[str, Any]:
    chart: dict[str, Any] = yaml.safe_load((HERE / "values.yaml").read_text())
    return chart
