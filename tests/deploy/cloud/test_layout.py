"""How modules are laid out: four files, and variables and outputs that say what they are."""

import re
from pathlib import Path

import pytest

from services import registry
from tests.deploy.cloud import hcl

NAMED = (
    "network",
    "cluster",
    "kafka",
    "postgres",
    "redis",
    "opensearch",
    "registry",
    "secrets",
    "edge",
    "images",
    "observability",
    "ci",
)
WITHOUT_PROVIDER = ("address_plan", "guard", "naming", "services", "sizing")


def _name(folder: Path) -> str:
    return str(folder.relative_to(hcl.TERRAFORM))


def test_every_part_of_the_platform_has_its_module() -> None:
    assert {*NAMED, *WITHOUT_PROVIDER} <= {folder.name for folder in hcl.folders()}


@pytest.mark.parametrize("folder", hcl.folders(), ids=_name)
def test_a_module_has_the_same_four_files(folder: Path) -> None:
    # The backend of the bootstrap and the values of an environment are beside them.
    own = {"state.tf", "values.tf"}
    assert tuple(sorted(path.name for path in folder.glob("*.tf") if path.name not in own)) == hcl.FILES


@pytest.mark.parametrize("folder", hcl.folders(), ids=_name)
def test_every_variable_has_a_type_a_description_and_is_validated(folder: Path) -> None:
    for name, variable in hcl.module(folder).variables.items():
        assert len(hcl.plain(variable.get("description", ""))) > 10, name
        assert "type" in variable, name
        # Of two values there is no third to refuse.
        assert variable["type"] == "bool" or variable.get("validation"), name


@pytest.mark.parametrize("folder", hcl.folders(), ids=_name)
def test_every_output_is_described(folder: Path) -> None:
    for name, output in hcl.module(folder).outputs.items():
        assert len(hcl.plain(output.get("description", ""))) > 10, name


@pytest.mark.parametrize("folder", hcl.folders(), ids=_name)
def test_a_module_says_which_terraform_and_which_provider_it_needs(folder: Path) -> None:
    module = hcl.module(folder)
    assert hcl.plain(module.terraform["required_version"]) == ">= 1.11"
    uses_aws = any(kind.startswith("aws_") for kind, _ in (*module.resources, *module.data))
    declares = "required_providers" in module.terraform
    assert declares or not uses_aws
    assert not (declares and folder.name in WITHOUT_PROVIDER)


def test_no_service_topic_database_or_image_is_written_in_terraform() -> None:
    known = registry.load()
    # Where records end that nobody could handle is the one topic with a meaning of its own.
    names = {*known.services, *known.topics} - {"dead-letter"}
    for path in hcl.TERRAFORM.rglob("*.tf"):
        if path.parent.name == "sizing":
            continue  # it has what each service costs, as measured
        words = set(re.findall(r'(?<!dynamic )"([a-z-]+)"', path.read_text()))
        assert words & names == set(), path
