"""Tables for people: columns as wide as their widest cell, two spaces apart."""

from collections.abc import Iterable, Sequence


def text(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows below their headings."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
