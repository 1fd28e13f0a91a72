"""The images: what can be said of them without building them. tests/deploy/images builds and runs them."""

import re
from pathlib import Path

import pytest

from scripts.generate import locks
from scripts.release.build import building
from scripts.stack import layout

FILES = ("services/Dockerfile", "gateway/Dockerfile")
ALL = (*FILES, building.AGENT.dockerfile)
IGNORED = (layout.ROOT / ".dockerignore").read_text().splitlines()


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
            assert f"!{Path(path).parts[0]}" in IGNORED, path


def test_neither_data_nor_secrets_nor_history_reach_the_build() -> None:
    assert IGNORED[1] == "*"
    assert not {"!.souk", "!.git", "!.venv"} & set(IGNORED)


def test_it_runs_services_by_name() -> None:
    assert instructions("ENTRYPOINT")[0] == '["python", "-m", "services"]'


def test_what_is_built_without_a_name_is_the_services_image() -> None:
    assert instructions("FROM")[-1] == "services"
