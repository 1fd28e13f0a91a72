"""`docs/values.md`: every value of the chart with its default and the comment above it, read from helm/souk/values.yaml.

A value is documented by the comment right above it, or by its parent's when it stands with others on one line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

HEADER = """\
# The values of the chart
Generated from the comments of `helm/souk/values.yaml` by `python -m scripts.generate.chart`; a test compares them. What is
misspelt, of the wrong type or out of range is refused by `values.schema.json` before anything is sent to a cluster.

| value | default | |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Value:
    """One row: the path, the default as YAML on one line, and what it means (empty when nobody said)."""

    path: str
    default: str
    meaning: str


def render(text: str) -> str:
    """The page for the text of a values file. Raises ValueError with the paths of values that nobody explains."""
    rows = list(values(text))
    silent = [row.path for row in rows if not row.meaning]
    if silent:
        raise ValueError(f"values without a comment: {', '.join(silent)}")
    return HEADER + "".join(f"| `{row.path}` | {_code(row.default)} | {row.meaning} |\n" for row in rows)


def values(text: str) -> Iterator[Value]:
    """The values of a file: what stands on one line is one value; what has lines of its own below is a heading."""
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(document, MappingNode):
        yield from _rows(document, text.splitlines(), "", "")


def _rows(node: MappingNode, lines: Sequence[str], path: str, inherited: str) -> Iterator[Value]:
    for key, value in node.value:
        name = f"{path}{key.value}"
        meaning = _comment_above(key.start_mark.line, lines) or inherited
        if _is_heading(value):
            yield from _rows(value, lines, f"{name}.", meaning)
        else:
            yield Value(name, _default(value), meaning)


def _is_heading(node: Node) -> bool:
    return isinstance(node, MappingNode) and not node.flow_style


def _comment_above(line: int, lines: Sequence[str]) -> str:
    said: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        said.insert(0, lines[line].lstrip().removeprefix("#").strip())
    return " ".join(said)


def _default(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return str(node.value) if node.value else '""'
    value: Any = yaml.safe_load(yaml.serialize(node, Dumper=yaml.SafeDumper))
    return yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")
