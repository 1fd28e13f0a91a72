"""What the edge answers from its own configuration: the OpenAPI document and the page that shows it."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, slots=True)
class Page:
    """A text that Envoy serves by itself, with its headers."""

    path: str
    content_type: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def pages(document: Mapping[str, Any]) -> tuple[Page, ...]:
    """`/openapi.json` with this document, and `/docs`, which needs nothing but that."""
    page = _PAGE.read_text()
    return (
        Page("/openapi.json", "application/json", json.dumps(document, separators=(",", ":"))),
        Page("/docs", "text/html; charset=utf-8", page, {"content-security-policy": _policy(page)}),
    )


def _policy(page: str) -> str:
    """The page may run its own script and style and ask its own origin, and nothing else."""
    script, style = (f"'sha256-{_digest(page, tag)}'" for tag in ("script", "style"))
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(page: str, tag: str) -> str:
    inside = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    if inside is None:
        raise ValueError(f"page.html has no <{tag}>")
    return base64.b64encode(hashlib.sha256(inside.group(1).encode()).digest()).decode()
