"""The one image of all services: what can be said of it without building it."""

import re
from pathlib import Path

import pytest

from scripts.local import layout

DOCKERFILE = (layout.ROOT / "services" / "Dockerfile").read_text()
IGNORED = (layout.ROOT / ".dockerignore").read_text().splitlines()
INSTRUCTIONS = [line for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines() if re.match(r"[A-Z]+ ", line)]


def instructions(name: str) -> list[str]:
    return [line.partition(" ")[2] for line in INSTRUCTIONS if line.startswith(f"{name} ")]


def test_every_package_is_installed_by_its_hash() -> None:
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock", "simulators.lock"])
def test_every_package_of_a_lock_has_a_version_and_hashes(name: str) -> None:
    text = (layout.ROOT / "services" / name).read_text()
    packages = [block for block in re.split(r"\n(?=\S)", text) if block and not block.startswith("#")]
    assert packages
    assert all(re.match(r"[\w.-]+(\[[\w,]+\])?==", block) and "--hash=sha256:" in block for block in packages)


def test_the_base_is_of_a_named_version_and_the_same_for_every_stage() -> None:
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11\.\d+-slim-bookworm", instructions("ARG")[0])
    bases = {stage.split()[0] for stage in instructions("FROM")}
    assert bases == {"${PYTHON_IMAGE}", "services"}


def test_it_runs_as_a_user_that_kubernetes_can_tell_is_not_root() -> None:
    assert instructions("USER") == ["10001:10001"]


def test_what_it_copies_exists_and_is_let_through() -> None:
    for source in instructions("COPY"):
        if source.startswith("--from"):
            continue
        for path in source.split()[:-1]:
            assert (layout.ROOT / path).exists(), path
            assert f"!{Path(path).parts[0]}" in IGNORED, path


def test_neither_data_nor_secrets_nor_history_reach_the_build() -> None:
    assert IGNORED[1] == "*"
    assert not {"!.souk", "!.git", "!.venv"} & set(IGNORED)


def test_it_runs_services_by_name() -> None:
    assert instructions("ENTRYPOINT") == ['["python", "-m", "services"]']


def test_what_is_built_without_a_name_is_the_services_image() -> None:
    assert instructions("FROM")[-1] == "services"
