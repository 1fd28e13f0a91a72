"""The Python files of the project and what they import, read from the syntax tree: nothing is executed."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("services", "gateway", "scripts")


def modules(*folders: str) -> dict[str, Path]:
    """Every module below these folders by its full name."""
    found = {}
    for folder in folders or CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = path
    return found


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Full names of everything that a file imports, wherever in it: modules, and names out of modules."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


def graph(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Which of the known modules each of them imports. A package stands for itself, not for what is in it."""
    return {name: set(_known(imported(path), known)) - {name} for name, path in known.items()}


def _known(names: tuple[str, ...], known: Mapping[str, Path]) -> Iterator[str]:
    for name in names:
        if name in known:
            yield name
        elif (module := name.rpartition(".")[0]) in known:
            yield module


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """The modules that import each other in a circle, or that lead into one and out of another; empty when there is none."""
    left = {name: set(others) for name, others in edges.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    while unused := [name for name in left if not any(name in others for others in left.values())]:
        for name in unused:
            del left[name]
    return sorted(left)
