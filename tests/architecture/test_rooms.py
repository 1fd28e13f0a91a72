"""The rooms of a service, enforced from the syntax tree: what each may import, and what a service is made of."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import registry

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"
NAMES = sorted(registry.load().services)
BLOCKS = registry.load().services
# Rooms that every service has; what others it has follows from its registry block.
ALWAYS = {"__init__", "domain", "messages", "rpc", "settings", "main"}
WITH_STORE = {"usecases", "store"}
WITH_TOPICS = {"events"}
CHASSIS_VALUES = {f"services.chassis.{name}" for name in ("errors", "ids", "mail_address", "money")}
IO = ("grpc", "sqlalchemy", "psycopg", "kafka", "redis", "aiohttp", "asyncio", "aiosmtplib", "souk", "google")

# What a room must never import. `own` is the service itself; a prefix covers everything below it.
FORBIDDEN = {
    "domain": IO,
    "usecases": ("grpc", "kafka", "souk", "google", "sqlalchemy", "psycopg"),
    "store": ("souk", "grpc", "kafka", "services.{own}.usecases", "services.{own}.rpc"),
    "saga": ("souk", "grpc", "kafka", "sqlalchemy", "psycopg", "services.{own}.store"),
    "messages": (
        *(name for name in IO if name not in ("souk", "google")),
        *(f"services.{{own}}.{room}" for room in ("usecases", "store", "rpc", "events")),
    ),
    "rpc": ("sqlalchemy", "psycopg", "kafka", "services.{own}.store", "services.{own}.events"),
    "events": ("sqlalchemy", "psycopg", "kafka", "services.{own}.store", "services.{own}.rpc"),
    "clients": ("sqlalchemy", "psycopg", "kafka", "services.{own}.store"),
    "settings": ("grpc", "sqlalchemy", "psycopg", "kafka", "souk", "os"),
}


def imports(path: Path) -> Iterator[str]:
    """Full names of everything a file imports: modules, and names out of packages."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def files(service: str) -> Iterator[tuple[str, Path]]:
    """Each file of a service with its room: a room may be a file or a folder of the same name."""
    for path in sorted((SERVICES / service).rglob("*.py")):
        relative = path.relative_to(SERVICES / service)
        if relative.parts[0] != "migrations":
            yield relative.parts[0].removesuffix(".py"), path


def wrong_imports(service: str, room: str, names: Iterator[str]) -> list[str]:
    """What this room imports although it must not."""
    forbidden = [prefix.format(own=service) for prefix in FORBIDDEN.get(room, ())]
    found = []
    for name in names:
        if any(below(name, prefix) for prefix in forbidden):
            found.append(name)
        others = [other for other in NAMES if other != service]
        if any(below(name, f"services.{other}") for other in others):
            found.append(f"{name} (another service's code)")
        if room == "domain" and below(name, "services.chassis") and not any(below(name, v) for v in CHASSIS_VALUES):
            found.append(f"{name} (more than a value of the chassis)")
    return found


@pytest.mark.parametrize("service", NAMES)
def test_a_room_imports_only_what_it_may(service: str) -> None:
    for room, path in files(service):
        assert not wrong_imports(service, room, imports(path)), path.relative_to(ROOT)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("domain", "import asyncio"),
        ("domain", "from services.chassis import database"),
        ("usecases", "from souk.order.v1 import order_pb2"),
        ("rpc", "from services.order import store"),
        ("store", "import services.order.usecases"),
        ("messages", "from services.order import store"),
        ("events", "from services.order import rpc"),
        ("saga", "import sqlalchemy as sa"),
        ("main", "from services.payment import domain"),
    ],
)
def test_a_planted_import_is_caught(room: str, source: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(source)
    assert wrong_imports("order", room, imports(planted))


def required(block: registry.Service) -> set[str]:
    """The rooms that a service must have, by its registry block."""
    with_store = WITH_STORE if block.stores else set()
    return ALWAYS | with_store | (WITH_TOPICS if block.on_kafka else set())


def needless(block: registry.Service, rooms: set[str]) -> set[str]:
    """Rooms for what the block does not name."""
    return rooms & ((set() if block.stores else {"store"}) | (set() if block.on_kafka else WITH_TOPICS))


@pytest.mark.parametrize("service", NAMES)
def test_a_service_has_the_rooms_that_its_block_asks_for_and_no_others(service: str) -> None:
    block, rooms = BLOCKS[service], {room for room, _ in files(service)}
    assert required(block) <= rooms
    assert not needless(block, rooms)
    migrations = list((SERVICES / service / "migrations").glob("*.py"))
    assert bool(migrations) == ("postgres" in block.stores)


def test_a_room_that_is_missing_and_one_too_many_are_seen() -> None:
    nothing = registry.Service("storefront", 50050, 9450)
    assert required(nothing) == ALWAYS
    assert needless(nothing, {*ALWAYS, "store", "events", "usecases"}) == {"store", "events"}
    cart = registry.Service("cart", 50050, 9450, stores=("redis",), consumes=("orders",))
    assert required(cart) == ALWAYS | WITH_STORE | WITH_TOPICS
    assert not needless(cart, required(cart))


@pytest.mark.parametrize("service", [name for name in NAMES if BLOCKS[name].consumes])
def test_a_service_consumes_what_its_block_says(service: str) -> None:
    assert set(importlib.import_module(f"services.{service}.events").CONSUMED) == set(BLOCKS[service].consumes)


def outside_the_chassis(names: Iterator[str]) -> list[str]:
    """What the chassis must not import: services, and the contract but for its options."""
    ours = [name for name in names if below(name, "services") or below(name, "souk")]
    return [name for name in ours if not below(name, "services.chassis") and not below(name, "souk.options")]


def test_the_chassis_imports_nothing_of_ours_but_itself_and_the_options() -> None:
    for path in sorted((SERVICES / "chassis").rglob("*.py")):
        names = list(imports(path))
        assert not outside_the_chassis(iter(names)), path.relative_to(ROOT)
        assert not [name for name in names if name.partition(".")[0] in {"gateway", "scripts", "tests"}], path


def test_a_planted_import_of_the_chassis_is_caught(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "from services import registry\nfrom services.chassis import kafka\n"
        "from souk.order.v1 import order_pb2\nfrom souk.options.v1 import options_pb2\nimport services.order\n"
    )
    assert outside_the_chassis(imports(planted)) == ["services.registry", "souk.order.v1.order_pb2", "services.order"]


def python_files() -> list[Path]:
    return [path for folder in ("services", "scripts", "gateway") for path in (ROOT / folder).rglob("*.py")]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {str(path.relative_to(ROOT)): count for path in python_files() if (count := _lines(path)) > 400}
    assert not long


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_every_module_says_its_job() -> None:
    silent = [path for path in python_files() if "migrations" not in path.parts and not _docstring(path)]
    assert not [str(path.relative_to(ROOT)) for path in silent]


def _docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text()))


def test_no_module_is_called_by_a_word_that_says_nothing() -> None:
    nothing = {"utils", "helpers", "manager", "base", "common", "misc", "util"}
    assert not [path for path in python_files() if path.stem in nothing or nothing & set(path.parts)]


def test_nothing_happens_at_import() -> None:
    """No module reads the environment or opens anything when it is imported."""
    opening = {"connect", "open", "create_engine", "Redis", "KafkaProducer", "KafkaConsumer", "getenv"}
    for path in (SERVICES).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            told = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not told and isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) and node.value is not None:
                for call in ast.walk(node.value):
                    called = call.func if isinstance(call, ast.Call) else None
                    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                    assert name not in opening, path
                assert "os.environ" not in ast.unparse(node), path


def test_no_float_comes_near_money() -> None:
    for service in NAMES:
        for room, path in files(service):
            if room not in ("domain", "saga"):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                    pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno}: true division; money is split by money.split")


def started_tasks(source: str) -> list[int]:
    """The lines of a source on which a task is started that inherits its creator's context."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future", "TaskGroup"}
    ]


def test_every_task_of_a_service_starts_with_a_fresh_context() -> None:
    """What serves many callers, or outlives whoever started it, must not go on in the first caller's name and trace."""
    for path in [*SERVICES.rglob("*.py"), *(ROOT / "gateway").rglob("*.py")]:
        if path != SERVICES / "chassis" / "tasks.py":
            assert not started_tasks(path.read_text()), f"{path.relative_to(ROOT)}: use tasks.spawn"


def test_a_task_that_inherits_a_context_is_noticed() -> None:
    assert started_tasks("import asyncio\nasyncio.get_running_loop().create_task(work())") == [2]
