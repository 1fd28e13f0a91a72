"""Pages of a list by keyset: a page token names the last row of the page before, so deep pages cost what the first does."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis import errors

Row = TypeVar("Row")

DEFAULT_SIZE = 20
MAX_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """What was asked for: at most `size` rows after the row with key `after` (None: from the start)."""

    size: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """A page of rows, and the token of the next page (empty on the last)."""

    rows: Sequence[Row]
    next_token: str


def parse(page_size: int, page_token: str, *, key: Callable[[str], object] = str) -> Page:
    """The page that a request asks for. Raises PAGE_TOKEN_INVALID for a token that this API never gave out.

    key reads the key of a row and raises ValueError for a text that is none: a token can be made by hand.
    """
    size = min(page_size or DEFAULT_SIZE, MAX_SIZE)
    if not page_token:
        return Page(size, None)
    try:
        after = json.loads(base64.urlsafe_b64decode(page_token.encode("ascii")))["after"]
        key(after)
        if not after.isprintable():
            raise ValueError("not the key of a row")  # noqa: TRY301 - told as what the others find
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = "the page token is invalid"
        wrong = errors.Violation("page_token", said, "PAGE_TOKEN_INVALID")
        raise errors.invalid("PAGE_TOKEN_INVALID", said, wrong) from error
    return Page(size, after)


def cut(rows: Sequence[Row], page: Page, key: Callable[[Row], str]) -> Slice[Row]:
    """A page out of up to `page.size + 1` rows: the one row too many only says that there is a next page."""
    shown = rows[: page.size]
    if len(rows) <= page.size:
        return Slice(shown, "")
    token = base64.urlsafe_b64encode(json.dumps({"after": key(shown[-1])}).encode()).decode()
    return Slice(shown, token)
