"""Environments differ by their values alone: what is alike is one file, and a value that no module takes is noticed."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloud import hcl

ENVIRONMENTS = hcl.TERRAFORM / "envs"
# Who has the files that the others have by links.
FIRST = ENVIRONMENTS / "dev"
ALL = sorted(ENVIRONMENTS.iterdir())
# Those of the values that a module takes as they are, or with more beside them.
HANDED_DALL = ("network", "cluster", "kafka", "postgres", "redis", "edge", "observability")


def values(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = hcl.module(folder).locals["values"]
    return {hcl.plain(name): value for name, value in found.items()}


def taken(part: str) -> set[str]:
    """What the module takes in its settings, at any depth."""
    declared = (hcl.MODULES / part / "variables.tf").read_text().split('variable "settings"')[1].split("\n  })\n")[0]
    return set(re.findall(r"^\s+(\w+)\s*= (?!\")", declared.split("object({", 1)[1], re.MULTILINE))


@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_an_environment_has_nothing_of_its_own_but_values(folder: Path) -> None:
    files = {path.name: path for path in folder.glob("*.tf")}
    assert set(files) == {"values.tf", *hcl.FILES}
    for name in hcl.FILES:
        assert files[name].resolve() == FIRST / name
    assert not hcl.module(folder).resources


def test_all_environments_give_the_same_values() -> None:
    assert len(ALL) == 2
    first, second = (set(values(folder)) for folder in ALL)
    assert first == second


@pytest.mark.parametrize("part", HANDED_DALL)
@pytest.mark.parametrize("folder", ALL, ids=lambda folder: folder.name)
def test_a_module_takes_every_value_that_it_is_given(folder: Path, part: str) -> None:
    given = {hcl.plain(name) for name in values(folder)[part]}
    assert given <= taken(part)
    assert "kafka_vresion" not in taken(part)
