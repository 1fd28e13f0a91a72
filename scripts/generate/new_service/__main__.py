"""The command line: check what is asked for, write all of it, say what comes next."""

import argparse
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.generate.new_service import block, rooms
from services import registry

ROOT = Path(__file__).resolve().parents[3]
DESCRIPTORS = ROOT / ".souk" / "gen" / "souk.binpb"
STORES = ("postgres", "redis")
# Names that other things have: processes of a stack, containers, commands, packages of the contract, modules of services/.
TAKEN = {
    *(
        "edge",
        "kafka",
        "postgres",
        "redis",
        "provider",
        "carrier",
        "mail",
        "objects",
        "services",
        "secrets",
        "databases",
        "migrate",
        "topics",
    ),
    *("parked", "options", "type", "chassis", "registry", "simulators", "tools", "shared", "mesh", "signing", "admin"),
}
NEXT = """
What comes next:
  1. Say what it is for: proto/souk/{name}/v1/, then services/{name}/ in the order that its __init__.py names. After a
     change of the contract: make proto && make generate
  2. Rows for each method in tests/contract/: what it refuses, and in which words.
  3. make lint && make test TESTS="tests/unit/{name} tests/integration/{name} tests/architecture"
  4. make run starts it beside the others; then {example}
docs/adding-a-service.md goes through it, file by file.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a new service, or say why not. Answers with a process exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.generate.new_service", description="A service more.")
    parser.add_argument("name", help="one word in lower case")
    for field, what in (("stores", "postgres, redis"), ("consumes", "topics"), ("publishes", "one topic, may be new")):
        parser.add_argument(f"--{field}", default="", metavar="A,B", help=what)
    options = parser.parse_args(arguments)
    known = registry.load()
    service = _service(options, known)
    problems = list(_problems(service, known))
    if not problems:
        files = rooms.render(service, DESCRIPTORS.read_bytes())
        problems = [f"{path} is there already" for path in files if (ROOT / path).exists()]
    if problems:
        print("\n".join(f"new-service: {problem}" for problem in problems), file=sys.stderr)
        return 2
    _write(service, known, files)
    return 0


def _service(options: argparse.Namespace, known: registry.Registry) -> registry.Service:
    port, metrics_port = block.next_ports(known)
    return registry.Service(
        options.name,
        port,
        metrics_port,
        stores=_split(options.stores),
        publishes=_split(options.publishes),
        consumes=_split(options.consumes),
        # Everybody who signs in is known by the user service's keys.
        calls=("user",),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", text) if word)


def _problems(service: registry.Service, known: registry.Registry) -> Iterator[str]:
    """What cannot be."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,19}", service.name) or keyword.iskeyword(service.name):
        yield f"NAME={service.name!r}: one word of 2 to 20 small letters and digits"
    elif service.name in TAKEN | known.services.keys():
        yield f"NAME={service.name}: the name is taken"
    for store in service.stores:
        if store not in STORES:
            yield f"STORES={store}: there are {', '.join(STORES)}"
    spoken = [topic for other in known.services.values() for topic in other.publishes]
    for topic in service.consumes:
        if topic not in spoken:
            yield f"CONSUMES={topic}: there are {', '.join(spoken)}"
    if service.consumes and not service.stores:
        yield "CONSUMES needs a store: what is heard must be kept somewhere"
    yield from _problems_of_publishing(service, known)


def _problems_of_publishing(service: registry.Service, known: registry.Registry) -> Iterator[str]:
    if len(service.publishes) > 1:
        yield "PUBLISHES: one topic to begin with"
    if service.publishes and "postgres" not in service.stores:
        yield "PUBLISHES needs STORES=postgres: events are rows of the outbox, in the transaction of what they tell of"
    for topic in service.publishes:
        owners = [other.name for other in known.services.values() if topic in other.publishes]
        if owners or topic == "dead-letter":
            yield f"PUBLISHES={topic}: the topic is {owners[0] if owners else 'everybody'}'s"
        if not re.fullmatch(r"[a-z][a-z0-9-]{1,39}", topic):
            yield f"PUBLISHES={topic!r}: small letters, digits and hyphens"


def _write(service: registry.Service, known: registry.Registry, files: dict[Path, str]) -> None:
    for path, text in files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
        print(f"wrote {path}")
    python = [str(path) for path in files if path.suffix == ".py"]
    for command in (["check", "--fix", "--select", "I"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet", *python], cwd=ROOT, check=True)
    new_topics = [topic for topic in service.publishes if topic not in known.topics]
    text = block.added(registry.PATH.read_text(), service, key="user_id", new_topics=new_topics)
    registry.PATH.write_text(text)
    print(f"added {service.name} to {registry.PATH.relative_to(ROOT)}, on port {service.port}")
    example = "mine, signed in" if service.stores else "greeting"
    print(NEXT.format(name=service.name, example=f"GET /api/v1/{service.name}/{example}"))


if __name__ == "__main__":
    sys.exit(main())
