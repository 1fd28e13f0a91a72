"""Modules that need no provider: Terraform validates them, and their own tests (in HCL, beside them) pass."""

import shutil
from pathlib import Path

import pytest

from tests.deploy.cloud import hcl, workspace
from tests.deploy.cloud.test_layout import WITHOUT_PROVIDER


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> workspace.Workspace:
    """The modules, where no provider is to be had."""
    folder = tmp_path_factory.mktemp("alone")
    for name in WITHOUT_PROVIDER:
        shutil.copytree(hcl.MODULES / name, folder / "terraform" / name)
    (folder / "terraform.rc").write_text("disable_checkpoint = true\n")
    return workspace.Workspace(folder)


@pytest.mark.parametrize("name", WITHOUT_PROVIDER)
def test_a_module_is_valid_and_its_own_tests_pass(alone: workspace.Workspace, name: str) -> None:
    alone.terraform(name, "init", "-input=false")
    assert "The configuration is valid" in alone.terraform(name, "validate")
    assert "0 failed" in alone.terraform(name, "test")


def test_every_such_module_has_tests() -> None:
    for name in WITHOUT_PROVIDER:
        runs = sum(path.read_text().count("\nrun ") + path.read_text().startswith("run ") for path in _tests(name))
        assert runs >= 2, name


def _tests(name: str) -> list[Path]:
    return list((hcl.MODULES / name / "tests").glob("*.tftest.hcl"))
