"""Nothing but the registry lists services: who needs the list reads it, so that a service more is known everywhere.

Looked for: three or more services in one literal of Python (a list, a tuple, a set, the keys of a dictionary), in one list or
block of Terraform, YAML, a template, a Makefile, a shell or a pipeline, and in one mermaid picture. Prose may name them.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.operate.audit import books
from services import registry

ROOT = Path(__file__).resolve().parents[2]
NAMES = frozenset(registry.load().services)
MANY = 3
# Variables that carry a service's name count as its name.
VARIABLE = re.compile(r"^([a-z]+)_(?:addr|database_url|listen|metrics_addr)$")
# Files about the services themselves: theirs, the contract, what is generated and compared, what happened once.
THEIRS = re.compile(
    r"services/services\.yaml|proto/|docs/decisions/|docs/(events|errors)\.md|docker-compose\.yml"
    r"|helm/souk/files/registry\.yaml|k8s/strimzi/(topics|users)\.yaml|.*\.lock"
    rf"|(services|tests/unit|tests/integration)/({'|'.join(sorted(NAMES))})/"
)
# Where three are named on purpose, and a service more would not belong: each with its reason.
ALLOWED = {
    "scripts/operate/audit/books.py": "the SQL that each book must satisfy; a test holds its keys against the registry's `books`",
    "tests/unit/scripts/operate/audit/conftest.py": "the tables of those books, which the test writes by hand",
    "tests/unit/scripts/bench/test_books.py": "the books that the bench reads, written by the test",
}
TEXT = {
    ".tf",
    ".hcl",
    ".yaml",
    ".yml",
    ".tpl",
    ".json",
    ".sh",
    ".mk",
    ".toml",
    ".js",
    ".ts",
    ".go",
    ".java",
    ".groovy",
    "",
}


def services_in(words: Iterator[str]) -> set[str]:
    """The services among these words."""
    lowered = (word.lower() for word in words)
    plain = {found[1] if (found := VARIABLE.match(word)) else word for word in lowered}
    return plain & NAMES


def listed_in_python(source: str) -> Iterator[set[str]]:
    """The services of each literal that names many of them."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        elements: list[ast.expr | None] = []
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            elements = list(node.elts)
        elif isinstance(node, ast.Dict):
            elements = list(node.keys)
        words = [one.value for one in elements if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        found = services_in(iter(words))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            # "order payment inventory".split() is a list too.
            found = _close_together(re.split(r"[\s,]+", node.value))
        if len(found) >= MANY:
            yield found


def listed_in_text(text: str) -> Iterator[set[str]]:
    """The services of each run of words, or of keys with one indentation, that names many of them."""
    name = r"[a-z]+(?:_addr|_database_url)?"
    for run in re.finditer(rf"(?i)\b{name}\b(?:[\s,|&\"\'\[\](){{}}-]+\b{name}\b){{2,}}", _without_comments(text)):
        words = re.findall(r"\w+", run[0])
        if len(found := _close_together(words)) >= MANY:
            yield found
    for block in re.split(r"\n\s*\n|\n(?=\S)", text):
        keys: dict[str, list[str]] = {}
        for indent, key in re.findall(r"(?m)^(\s*)[\"\']?(\w+)[\"\']?\s*[:=]", block):
            keys.setdefault(indent, []).append(key)
        for names in keys.values():
            if len(found := services_in(iter(names))) >= MANY:
                yield found


def _close_together(words: list[str]) -> set[str]:
    """Services that follow each other without another word between them."""
    best: set[str] = set()
    run: set[str] = set()
    for word in words:
        found = services_in(iter([word]))
        run = run | found if found else set()
        best = max(best, run, key=len)
    return best


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*(#|//|{{/\*).*$", "", text)


def listed_in_pictures(text: str) -> Iterator[set[str]]:
    """The services of each mermaid picture that names many, but for those that are drawn from the registry."""
    drawn = re.sub(r"(?s)<!-- services: drawn.*?<!-- end of services -->", "", text)
    for picture in re.findall(r"(?s)```mermaid(.*?)```", drawn):
        if len(found := services_in(iter(re.findall(r"\w+", picture)))) >= MANY:
            yield found


def lists(path: str, text: str) -> list[set[str]]:
    """The lists of services in a file."""
    suffix = Path(path).suffix
    if suffix == ".py":
        return list(listed_in_python(text))
    if suffix == ".md":
        return list(listed_in_pictures(text))
    return list(listed_in_text(text)) if suffix in TEXT else []


def tracked() -> list[str]:
    """Every file of the repository that is not about the services themselves."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - git, as above
        listed = told.stdout.splitlines()
    except (subprocess.CalledProcessError, FileNotFoundError):
        # A copy without its history.
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    kept = [path for path in listed if not path.startswith((".souk/", ".venv/", ".git/")) and "_cache/" not in path]
    return [path for path in kept if (ROOT / path).is_file() and not THEIRS.match(path)]


def test_nothing_but_the_registry_lists_services() -> None:
    found = {}
    for path in tracked():
        if path not in ALLOWED and path != str(Path(__file__).relative_to(ROOT)):
            try:
                listed = lists(path, (ROOT / path).read_text())
            except UnicodeDecodeError:
                continue
            if listed:
                found[path] = listed
    assert not found, "\n".join(f"{path}: {listed}" for path, listed in found.items())


def test_every_service_that_keeps_books_says_what_must_hold_in_them() -> None:
    assert books.INVARIANTS.keys() == set(registry.load().keeping_books())


@pytest.mark.parametrize("path", ALLOWED)
def test_what_is_allowed_is_there_and_needs_it(path: str) -> None:
    assert lists(path, (ROOT / path).read_text())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.py", 'SERVICES = ("order", "payment", "user")'),
        ("x.py", 'HEARD = {"order": 1, "payment": 2, "user": 3}'),
        ("x.py", 'for name in "order payment user".split(): ...'),
        ("x.py", 'URLS = ["ORDER_ADDR", "PAYMENT_ADDR", "USER_ADDR"]'),
        ("x.tf", "default = {\n  order = 1\n  payment = 2\n  user = 3\n}\n"),
        ("x.tf", 'default = ["order", "payment", "user"]'),
        ("x.yaml", "services:\n  order: 1\n  payment: 2\n  user: 3\n"),
        ("x.yaml", "services:\n- order\n- payment\n- user\n"),
        ("Makefile", "all:\n\tfor s in order payment user; do echo $$s; done\n"),
        ("Jenkinsfile", "parallel(['order', 'payment', 'user'])"),
        ("x.md", "```mermaid\nflowchart LR\n  edge --> order & payment\n  order --> user\n```\n"),
    ],
)
def test_a_planted_list_is_found(path: str, text: str) -> None:
    assert lists(path, text) == [{"order", "payment", "user"}]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.py", 'PAIR = ("order", "payment")'),
        ("x.py", '"""Of order, payment and user."""'),
        ("x.py", 'NOTES = ["the order and its payment by a user"]'),
        ("x.md", "The order asks payment, and the user waits."),
        ("x.tf", "# order, payment and user\nresource = 1\n"),
        ("x.yaml", "order: the payment of a user\n"),
    ],
)
def test_what_is_no_list_is_left_alone(path: str, text: str) -> None:
    assert lists(path, text) == []
