"""Pages of a list by keyset: a page begins after the last row of the one before, so deep pages cost what the first does.

What a caller is given for the next page, and sends back, is `rpc/page_tokens.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")

DEFAULT_SIZE = 20
MAX_SIZE = 100
# No id is smaller, or greater: where lists by id begin, the oldest or the newest first.
FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Page:
    """What was asked for: at most `size` rows after the row with key `after` (empty: from the start)."""

    size: int
    after: str = ""


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """A page of rows, and the key after which the next page begins (empty on the last)."""

    rows: Sequence[Row]
    next_after: str


def size(asked: int) -> int:
    """How many rows a page has at most when a caller asks for so many; 0 leaves it to us."""
    return min(asked or DEFAULT_SIZE, MAX_SIZE)


def cut(rows: Sequence[Row], page: Page, key: Callable[[Row], str]) -> Slice[Row]:
    """A page out of up to `page.size + 1` rows: the one row too many only says that there is a next page."""
    shown = rows[: page.size]
    return Slice(shown, key(shown[-1]) if len(rows) > page.size else "")
