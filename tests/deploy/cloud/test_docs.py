"""docs/aws.md says what is: its graph, its sizes and its targets are those of the sources."""

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloud import graph, hcl, workspace
from tests.deploy.cloud.test_references import PLANTED

PAGE = (hcl.ROOT / "docs" / "aws.md").read_text()
RATES = (100, 1000, 10000)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """What the module `sizing` says for each rate, told of the services what the module `services` reads of the registry."""
    folder = tmp_path_factory.mktemp("sizes")
    (folder / "terraform.rc").write_text("disable_checkpoint = true\n")
    alone = workspace.Workspace(folder)
    for module in ("services", "sizing"):
        shutil.copytree(hcl.MODULES / module, folder / "terraform" / module, ignore=shutil.ignore_patterns("tests"))
        alone.terraform(module, "init", "-input=false")
    services = _applied(alone, "services", path=str(hcl.ROOT / "services" / "services.yaml"))["sizes"]
    return {rate: _applied(alone, "sizing", orders_per_second=rate, services=services) for rate in RATES}


def _applied(alone: workspace.Workspace, module: str, **variables: object) -> dict[str, Any]:
    """A module's outputs for these variables."""
    (alone.folder / "terraform" / module / "terraform.tfvars.json").write_text(json.dumps(variables))
    alone.terraform(module, "apply", "-auto-approve", "-input=false")
    document = json.loads(alone.terraform(module, "output", "-json"))
    return {name: output["value"] for name, output in document.items()}


def test_the_graph_is_that_of_the_module_calls() -> None:
    assert graph.mermaid() in PAGE


def test_the_table_of_sizes_is_what_the_module_says(sizes: dict[int, dict[str, Any]]) -> None:
    for line in rows(sizes):
        assert line in PAGE


def rows(sizes: dict[int, dict[str, Any]]) -> list[str]:
    """The table, written from the module's outputs."""
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        "cores for services and edge": lambda size: f"{size['nodes']['cores']:.1f}",
        "nodes": lambda size: f"{size['nodes']['count']} x {size['nodes']['instance_type']}",
        "PostgreSQL": _postgres,
        "its storage, GiB": lambda size: f"{sum(server['storage_gib'] for server in size['postgres'].values()):,}",
        "brokers": lambda size: f"3 x {size['kafka']['instance_type']}",
        "storage of each, GiB": lambda size: f"{size['kafka']['storage_gib']:,}",
        "partitions of the busiest topic": lambda size: str(max(6, size["partitions"])),
    }
    return [
        f"| {name} | " + " | ".join(column(sizes[rate]) for rate in RATES) + " |" for name, column in columns.items()
    ]


def _postgres(size: dict[str, Any]) -> str:
    classes = sorted((server["instance_class"] for server in size["postgres"].values()), key=_cores, reverse=True)
    counted = {kind: classes.count(kind) for kind in classes}
    return ", ".join(f"{count} x {kind}" for kind, count in counted.items())


def _cores(kind: str) -> float:
    found = re.search(r"\.(\d*)x?large", kind)
    return float(found[1] or 0.5) if found else math.inf


def test_every_make_target_on_the_page_exists() -> None:
    makefiles = "\n".join(
        path.read_text() for path in (hcl.ROOT / "Makefile", *Path(hcl.ROOT / "scripts").rglob("*.mk"))
    )
    for target in set(re.findall(r"(?:`|\$ )make ([a-z][a-z-]+)", PAGE)):
        assert re.search(rf"(?m)^{target}:", makefiles), target


def test_the_page_counts_the_planted_mistakes_that_are_tested() -> None:
    assert f"finds {len(PLANTED)} planted mistakes" in PAGE
