"""Terraform's sources, parsed: modules with their blocks, each as python-hcl2 gives them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[3]
TERRAFORM = ROOT / "terraform"
MODULES = TERRAFORM / "modules"
ROOTS = tuple(TERRAFORM / name for name in ("bootstrap", "shared", "envs/dev", "envs/prod"))
# What the parser puts into a block, to tell it from an object.
MARK = "__is_block__"
FILES = ("main.tf", "outputs.tf", "variables.tf", "versions.tf")


@dataclass(frozen=True, slots=True)
class Module:
    """The blocks of one folder, by kind; resources and data sources by type and name."""

    folder: Path
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    data: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ephemeral: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)
    terraform: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The folder, from terraform/ on."""
        return str(self.folder.relative_to(TERRAFORM)) if self.folder.is_relative_to(TERRAFORM) else self.folder.name


def folders() -> list[Path]:
    """Every module and every root."""
    return [*sorted(path for path in MODULES.iterdir() if path.is_dir()), *ROOTS]


@cache
def module(folder: Path) -> Module:
    """The blocks of a folder."""
    read = Module(folder)
    for path in sorted(folder.glob("*.tf")):
        add(read, parse(path.read_text()))
    return read


def parse(text: str) -> dict[str, Any]:
    """One file: literal strings within their quotes, expressions as `${...}`, blocks marked, without comments."""
    parsed: dict[str, Any] = _without_comments(hcl2.loads(text))
    return parsed


def _without_comments(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if not key.startswith("__") or key == MARK}
        return {key: _without_comments(item) for key, item in kept.items()}
    return [_without_comments(item) for item in value] if isinstance(value, list) else value


def add(read: Module, document: dict[str, Any]) -> None:
    """Put one parsed file's blocks to a module's."""
    labelled = {"variable": read.variables, "output": read.outputs, "module": read.calls, "provider": read.providers}
    for kind, into in labelled.items():
        for block in document.get(kind, []):
            into.update({plain(name): body for name, body in block.items() if name != MARK})
    twice = {"resource": read.resources, "data": read.data, "ephemeral": read.ephemeral}
    for kind, into_typed in twice.items():
        for block in document.get(kind, []):
            for type_name, named in ((label, body) for label, body in block.items() if label != MARK):
                into_typed.update(
                    {(plain(type_name), plain(name)): body for name, body in named.items() if name != MARK}
                )
    for block in document.get("locals", []):
        read.locals.update({name: value for name, value in block.items() if name != MARK})
    for block in document.get("terraform", []):
        read.terraform.update(block)


def plain(text: str) -> str:
    """A label or a string without the quotes that the parser leaves around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def strings(value: Any) -> Iterator[str]:
    """Every string inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
