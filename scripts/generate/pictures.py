"""The picture of the services in README.md and docs/, drawn from the registry between two markers that stand in the page."""

from collections.abc import Iterator
from pathlib import Path

from services.registry import Registry

BEGIN = "<!-- services: drawn by `make generate` from services/services.yaml -->\n"
END = "<!-- end of services -->\n"
OUTSIDE = {
    "provider": "payment provider",
    "carrier": "carrier",
    "smtp": "mail server",
    "sns": "Amazon SNS",
    "openid": "OpenID providers, if chosen",
    "s3": "Amazon S3",
    "opensearch": "OpenSearch, if chosen",
}


def pages(root: Path) -> list[Path]:
    """The pages that hold a picture."""
    candidates = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return [path for path in candidates if BEGIN in path.read_text()]


def redrawn(text: str, known: Registry) -> str:
    """The page with the picture as the registry has it. Raises ValueError for a page whose markers do not match."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("a picture of the services has a beginning and no end")
    return before + BEGIN + picture(known) + END + after


def picture(known: Registry) -> str:
    """A mermaid flowchart: who calls whom, which topics go where, who keeps data where, who talks to the world outside."""
    body = "".join(f"  {line}\n" for line in _lines(known))
    return f"```mermaid\nflowchart LR\n{body}```\n"


def _lines(known: Registry) -> Iterator[str]:
    yield 'client([client]) -- "REST, gRPC, gRPC-Web" --> edge[Envoy edge]'
    yield f"edge --> {' & '.join(known.services)}"
    yield from _calls(known)
    yield from _topics(known)
    for store, label in (("postgres", "PostgreSQL, a database each"), ("redis", "Redis")):
        if users := known.with_store([], store):
            yield f"{' & '.join(users)} --- {store}[({label})]"
    for service in known.services.values():
        for system in service.outside:
            yield f"{service.name} --> {system}([{OUTSIDE.get(system, system)}])"


def _calls(known: Registry) -> Iterator[str]:
    """Who calls whom. Everybody asks the user service for the keys of tokens: drawing that would hide the rest."""
    for service in known.services.values():
        for called in service.calls:
            if called != "user":
                yield f"{service.name} -- calls --> {called}"


def _topics(known: Registry) -> Iterator[str]:
    """Where events go; dead-letter, to which every consumer may write, is left out."""
    services = known.services.values()
    for topic in known.topics:
        writers = " & ".join(service.name for service in services if topic in service.publishes)
        readers = " & ".join(service.name for service in services if topic in service.consumes)
        if writers:
            yield f"{writers} --> topic-{topic}[({topic})]" + (f" --> {readers}" if readers else "")
