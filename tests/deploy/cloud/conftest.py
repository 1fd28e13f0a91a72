"""Terraform's sources with the stand-in for the AWS provider: one copy for the run, in which every root is applied once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.cloud import amazon, hcl, workspace


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> workspace.Workspace:
    """The copy, with the variables that the examples give."""
    made = workspace.made(tmp_path_factory.mktemp("cloud"))
    for root in hcl.ROOTS:
        name = str(root.relative_to(hcl.TERRAFORM))
        folder: Path = made.folder / "terraform" / name
        example = (folder / "terraform.tfvars.example").read_text()
        (folder / "terraform.tfvars").write_text(workspace.variables(example))
        made.prepare(name)
    return made


@pytest.fixture(scope="session")
def prod(copy: workspace.Workspace) -> workspace.Applied:
    """Production, applied."""
    return copy.applied("envs/prod")


@pytest.fixture(scope="session")
def dev(copy: workspace.Workspace) -> workspace.Applied:
    """Development, applied."""
    return copy.applied("envs/dev")


@pytest.fixture(scope="session")
def shared(copy: workspace.Workspace) -> workspace.Applied:
    """What environments share, applied."""
    return copy.applied("shared")


@pytest.fixture(scope="session")
def bootstrap(copy: workspace.Workspace) -> workspace.Applied:
    """Where the state is, applied."""
    return copy.applied("bootstrap")


@pytest.fixture(scope="session")
def aws() -> Iterator[amazon.Amazon]:
    """AWS's interfaces on loopback."""
    with amazon.running() as found:
        yield found
