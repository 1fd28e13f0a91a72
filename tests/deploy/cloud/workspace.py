"""A copy of terraform/ in which Terraform runs with the stand-in for the AWS provider and a state on disk."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.cloud import tools
from tests.deploy.cloud import hcl, schemas

_BACKEND = re.compile(r'\n\n(?:  #.*\n)*  backend "s3" \{[^}]*\}')


class TerraformError(Exception):
    """Terraform said no: its words."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The copy."""

    folder: Path

    def terraform(self, root: str, *arguments: str) -> str:
        """Run Terraform in a root or module, such as envs/prod: what it said. Raises TerraformError."""
        folder = self.folder / "terraform" / root
        command = [tools.terraform(), *arguments]
        environment = {**os.environ, **self.environment, "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise TerraformError(done.stderr or done.stdout)
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """What makes Terraform take the stand-in for the AWS provider."""
        return {
            "TF_CLI_CONFIG_FILE": str(self.folder / "terraform.rc"),
            "SOUK_AWS_SCHEMA": str(self.folder / "schema.json"),
        }

    def prepare(self, root: str) -> None:
        """Fetch a root's modules, and let it keep its state on disk."""
        versions = self.folder / "terraform" / root / "versions.tf"
        versions.write_text(_BACKEND.sub("", versions.read_text()))
        # `get`, not `init`: the provider is overridden, and there is no registry to ask for it.
        self.terraform(root, "get")

    def applied(self, root: str) -> "Applied":
        """What a root makes, applied with the stand-in."""
        self.terraform(root, "apply", "-auto-approve", "-input=false")
        return Applied(json.loads(self.terraform(root, "show", "-json"))["values"])


@dataclass(frozen=True, slots=True)
class Applied:
    """A state, as `terraform show -json` writes it."""

    values: dict[str, Any]

    @property
    def outputs(self) -> dict[str, Any]:
        """The root's outputs."""
        return {name: output["value"] for name, output in self.values["outputs"].items()}

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Every resource, not the data sources: address, type, values."""
        return [found for found in _resources(self.values["root_module"]) if found["mode"] == "managed"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The values of all resources of a type."""
        return [found["values"] for found in self.resources if found["type"] == kind]


def made(folder: Path) -> Workspace:
    """A fresh copy under `folder`."""
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "terraform.tfvars", "backend.hcl")
    shutil.copytree(hcl.TERRAFORM, folder / "terraform", ignore=ignored)
    (folder / "services").mkdir()
    shutil.copy(hcl.ROOT / "services" / "services.yaml", folder / "services")
    (folder / "helm" / "souk").mkdir(parents=True)
    shutil.copy(hcl.ROOT / "helm" / "souk" / "values.yaml", folder / "helm" / "souk")
    schemas.write_catalogue(folder / "schema.json")
    override = f'provider_installation {{\n  dev_overrides {{\n    "hashicorp/aws" = "{tools.stand_in()}"\n  }}\n}}\n'
    (folder / "terraform.rc").write_text(override)
    return Workspace(folder)


def variables(example: str) -> str:
    """A `terraform.tfvars.example` with its commented block taken in."""
    lines = example.splitlines()
    first = next((at for at, line in enumerate(lines) if line.startswith("# jenkins = {")), len(lines))
    return "\n".join([*lines[:first], *(line.removeprefix("# ") for line in lines[first:])]) + "\n"


def _resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    below = [found for child in module.get("child_modules", []) for found in _resources(child)]
    return [*module.get("resources", []), *below]
