"""Which module is given what another has made, as the graph of docs/aws.md.

python -m tests.deploy.cloud.graph     prints it
"""

import re
from typing import Any

from tests.deploy.cloud import hcl

_MODULE = re.compile(r"(?<![\w.])module\.(\w+)")
_LOCAL = re.compile(r"(?<![\w.])local\.(\w+)")
# Everyone's: lines to them would hide the others.
_EVERYWHERE = {"boundary", "encryption", "services"}


def edges() -> list[tuple[str, str]]:
    """From the module that makes something to the one that is given it."""
    platform = hcl.module(hcl.MODULES / "platform")
    found = {
        (source, name)
        for name, call in platform.calls.items()
        for source in _named(call, platform.locals, set())
        if source != name and source not in _EVERYWHERE
    }
    return sorted(found)


def mermaid() -> str:
    """The same, as Mermaid draws it."""
    lines = [f"  {source} --> {target}" for source, target in edges()]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def _named(value: Any, local: dict[str, Any], seen: set[str]) -> set[str]:
    names: set[str] = set()
    for text in hcl.strings(value):
        names |= set(_MODULE.findall(text))
        for name in set(_LOCAL.findall(text)) - seen:
            seen.add(name)
            names |= _named(local.get(name), local, seen)
    return names
