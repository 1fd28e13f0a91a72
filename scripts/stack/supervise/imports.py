"""What a Python program imports of a folder, by its syntax: which files decide about how it behaves, without running it."""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_VARIABLE = re.compile(r"[A-Z{][A-Z0-9_{}]+")


def reached(root: Path, modules: Iterable[str]) -> frozenset[Path]:
    """The files below `root` that importing these modules reads, late imports inside functions included."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        for path in _files(root, waiting.pop()) - found:
            found.add(path)
            waiting += _imported(path)
    return frozenset(found)


@cache
def variables(path: Path) -> frozenset[str]:
    """The texts of a file that may be names of environment variables: `LOG_LEVEL`, `{SERVICE}_LISTEN`."""
    constants = (node.value for node in ast.walk(_tree(path)) if isinstance(node, ast.Constant))
    return frozenset(text for text in constants if isinstance(text, str) and _VARIABLE.fullmatch(text))


def _files(root: Path, module: str) -> set[Path]:
    """The file of a module, or of the module that it is a name out of, and those of the packages above it."""
    parts = module.split(".")
    paths = (root.joinpath(*parts[:length]) for length in range(1, len(parts) + 1))
    candidates = (candidate for path in paths for candidate in (path / "__init__.py", path.with_suffix(".py")))
    return {path for path in candidates if path.is_file()}


@cache
def _imported(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())
