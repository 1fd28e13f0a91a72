"""The images: what can be said of them without building them. tests/deploy/images builds and runs them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scripts.generate import locks
from scripts.release.build import building
from scripts.stack import layout

FILES = ("services/Dockerfile", "gateway/Dockerfile")
ALL = (*FILES, building.AGENT.dockerfile)
IGNORED = (layout.ROOT / ".dockerignore").read_text().splitlines()
LET_THROUGH = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]


def instructions(name: str, file: str = FILES[0]) -> list[str]:
    text = re.sub(r"\\\n\s*", " ", (layout.ROOT / file).read_text())
    return [line.partition(" ")[2] for line in text.splitlines() if line.startswith(f"{name} ")]


@pytest.mark.parametrize("file", ALL)
def test_every_package_is_installed_by_its_hash(file: str) -> None:
    installs = [line for line in instructions("RUN", file) if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


@pytest.mark.parametrize("name", sorted(locks.FILES))
def test_every_package_of_a_lock_has_a_version_and_hashes(name: str) -> None:
    text = (layout.ROOT / name).read_text()
    packages = [block for block in re.split(r"\n(?=\S)", text) if block and not block.startswith("#")]
    assert packages
    assert all(re.match(r"[\w.-]+(\[[\w,]+\])?==", block) and "--hash=sha256:" in block for block in packages)


def test_the_base_is_of_a_named_version_and_the_same_for_every_stage() -> None:
    asked = {instructions("ARG", file)[0] for file in ALL}
    assert asked == {f"PYTHON_IMAGE={building.BASE.removeprefix('docker.io/library/')}"}
    assert re.search(r"python:3\.11\.\d+-slim-bookworm$", building.BASE)
    bases = {stage.split()[0] for file in FILES for stage in instructions("FROM", file)}
    assert bases == {"${PYTHON_IMAGE}", "services"}


@pytest.mark.parametrize("file", FILES)
def test_it_runs_as_a_user_that_kubernetes_can_tell_is_not_root(file: str) -> None:
    assert instructions("USER", file) == ["10001:10001"]


@pytest.mark.parametrize("file", ALL)
def test_what_it_copies_exists_and_is_let_through(file: str) -> None:
    for source in instructions("COPY", file):
        if source.startswith("--from"):
            continue
        for path in source.split()[:-1]:
            assert (layout.ROOT / path).exists(), path
            assert any(kept in (path, *map(str, Path(path).parents)) for kept in LET_THROUGH), path


def test_neither_data_nor_secrets_nor_history_reach_the_build() -> None:
    assert IGNORED[1] == "*"
    assert not {"!.souk", "!.git", "!.venv"} & set(IGNORED)


def test_it_runs_services_by_name() -> None:
    assert instructions("ENTRYPOINT")[0] == '["python", "-m", "services"]'


def test_what_is_built_without_a_name_is_the_services_image() -> None:
    assert instructions("FROM")[-1] == "services"


# Each image of ours, what it is built from, and what its container runs: the modules that must be in it.
STAGES = {"services": FILES[0], "tools": FILES[0], "simulators": FILES[0], "edge": FILES[1]}
OURS = ("services", "scripts", "gateway")


def copied(stage: str, file: str) -> set[str]:
    """The files of this repository that a stage of a Dockerfile holds, those of the stage it begins with included."""
    text = re.sub(r"\\\n\s*", " ", (layout.ROOT / file).read_text())
    block = re.search(rf"(?ms)^FROM (\S+) AS {stage}$(.*?)(?=^FROM |\Z)", text)
    assert block, stage
    base, lines = block[1], block[2]
    found = copied(base, file) if "$" not in base else set()
    for source in re.findall(r"(?m)^COPY ([^-\n].*) \S+$", lines):
        for path in (layout.ROOT / name for name in source.split()):
            within = [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
            found |= {str(inner.relative_to(layout.ROOT)) for inner in within}
    return found


def needed(path: Path) -> Iterator[str]:
    """The modules of this repository that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in OURS)


def is_in(files: set[str], module: str) -> bool:
    path = module.replace(".", "/")
    parent = path.rpartition("/")[0]
    return bool({f"{path}.py", f"{path}/__init__.py", f"{parent}.py"} & files) or (
        # A name out of a package, rather than a module of it.
        f"{parent}/__init__.py" in files
        and not (layout.ROOT / f"{path}.py").exists()
        and not (layout.ROOT / path).is_dir()
    )


@pytest.mark.parametrize(("stage", "file"), STAGES.items())
def test_nothing_in_an_image_imports_what_is_not_in_it(stage: str, file: str) -> None:
    files = copied(stage, file)
    read = [name for name in files if name.endswith(".py")]
    assert read
    missing = {
        f"{name} imports {module}" for name in read for module in needed(layout.ROOT / name) if not is_in(files, module)
    }
    assert not missing


def test_of_the_scripts_only_what_pods_run_is_in_an_image() -> None:
    def rooms(stage: str) -> set[str]:
        return {Path(name).parts[1] for name in copied(stage, STAGES[stage]) if name.startswith("scripts/")}

    own = {"__init__.py", "operate"}
    assert {stage: rooms(stage) for stage in STAGES} == {
        "services": own,
        "tools": own | {"sample_data"},
        "simulators": own | {"simulators"},
        "edge": set(),
    }


def test_what_a_container_runs_is_in_its_image() -> None:
    blocks = yaml.safe_load((layout.ROOT / "docker-compose.yml").read_text())["services"]
    run = {
        (block["build"]["target"], module)
        for block in blocks.values()
        if "build" in block
        for words in (block.get("entrypoint", []), block.get("healthcheck", {}).get("test", []))
        for module in words
        if str(module).startswith("scripts.")
    }
    assert {module for _, module in run} >= {"scripts.sample_data", "scripts.operate.grpc_health"}
    charts = "".join(path.read_text() for path in (layout.ROOT / "helm").rglob("*.yaml"))
    run |= {
        ("simulators" if module.startswith("scripts.simulators") else "tools", module)
        for module in re.findall(r"scripts\.[\w.]+", charts)
        if "chart" not in module
    }
    assert not [pair for pair in sorted(run) if not is_in(copied(pair[0], STAGES[pair[0]]), pair[1])]
