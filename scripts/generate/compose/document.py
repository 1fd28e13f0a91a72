"""What docker-compose.yml holds: servers from their official images, the services from ours, one-shot jobs in between.

Nothing secret is in it: the job `secrets` makes passwords and keys, and gives each container a volume with its own and no
other's (scripts/operate/development/readers.py). Only the edge is published, on loopback.
"""

from collections.abc import Iterable
from typing import Any

import yaml

from scripts.operate.development import readers
from services.registry import Registry, Service

HEADER = """\
# Generated from services/services.yaml by `make compose`; a test compares the two. Do not edit.
#
#   docker compose up --build --detach        start everything; the edge then answers on http://127.0.0.1:8080
#   docker compose run --rm sample-data       fill the shop
#   docker compose exec user cat /secrets/admin_password      what ADMIN_EMAIL signs in with
#   PAYMENT_PROVIDER=stripe STRIPE_API_KEY_FILE=./key docker compose up --detach      Stripe is asked instead of the simulator
#   docker compose down                       stop it (with -v: and remove its data)
"""
IMAGES = {
    "postgres": "postgres:18.6-bookworm",
    "redis": "redis:7.4.2-alpine",
    "kafka": "apache/kafka:4.1.0",
    "edge": "souk/edge:local",
    "services": "souk/services:local",
    "simulators": "souk/simulators:local",
    "tools": "souk/tools:local",
}
BOOTSTRAP = "kafka:9092"
PROVIDER_PORT, CARRIER_PORT, SMTP_PORT = 8090, 8091, 2525
EDGE_PORT = 8080
ADMIN_EMAIL = "admin@souk.example"
VENDOR_EMAIL = "vendor@souk.example"
ALL_OF_THEM = "secrets:/secrets"
DONE, HEALTHY = "service_completed_successfully", "service_healthy"
# What a service waits for, by what the registry says it stores or talks to. There is no SNS here: messages for it go to the log.
NEEDS = {
    "postgres": ("migrate", DONE),
    "redis": ("redis", HEALTHY),
    "provider": ("provider", HEALTHY),
    "carrier": ("carrier", HEALTHY),
    "smtp": ("mail", HEALTHY),
}
# What a service is told of them. Its database's URL is a secret of its own.
URLS = {
    "provider": ("PAYMENT_PROVIDER_URL", f"http://provider:{PROVIDER_PORT}"),
    "carrier": ("CARRIER_URL", f"http://carrier:{CARRIER_PORT}"),
    "smtp": ("SMTP_URL", f"smtp://mail:{SMTP_PORT}"),
}
# The key stays in a file of the user's: an empty one as long as the simulator is asked.
STRIPE_KEY = "${STRIPE_API_KEY_FILE:-/dev/null}:/run/stripe_api_key:ro"
STRIPE = {
    "PAYMENT_PROVIDER": "${PAYMENT_PROVIDER:-simulator}",
    "STRIPE_API_KEY_FILE": "/run/stripe_api_key",
    "STRIPE_API_BASE": "${STRIPE_API_BASE:-https://api.stripe.com}",
}
KAFKA = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{BOOTSTRAP}",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@kafka:9093",
    "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "5",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_HEAP_OPTS": "-Xms64m -Xmx320m",
}
# Without the password the answer is an error, which is no PONG.
REDIS_CHECK = (
    f"REDISCLI_AUTH=$$(sed -n 's/^requirepass //p' /secrets/{readers.REDIS_SETTINGS}) redis-cli ping | grep -q PONG"
)
# Envoy's image holds no HTTP client, but its shell can open a connection.
EDGE_CHECK = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{EDGE_PORT}/healthz', timeout=2)"


def render(registry: Registry) -> str:
    """The file's text for a registry."""
    services = tuple(registry.services.values())
    document = {
        "name": "souk",
        "services": {**_servers(), **_simulators(), **_jobs(registry), **_mesh(services), "edge": _edge(services)},
        "volumes": {name: {} for name in (*_secret_volumes(registry), "postgres", "redis", "kafka", *_simulators())},
    }
    return HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120)


def _servers() -> dict[str, Any]:
    return {
        "postgres": {
            "image": IMAGES["postgres"],
            "command": ["postgres", "-c", "max_connections=150", "-c", "shared_buffers=96MB", "-c", "jit=off"],
            "environment": {"POSTGRES_USER": "souk", "POSTGRES_PASSWORD_FILE": "/secrets/postgres_password"},
            "volumes": ["postgres:/var/lib/postgresql", _secrets(readers.POSTGRES)],
            "healthcheck": _check(["CMD", "pg_isready", "-U", "souk", "-h", "127.0.0.1"]),
            **_after({"secrets": DONE}),
        },
        "redis": {
            "image": IMAGES["redis"],
            "command": ["redis-server", f"/secrets/{readers.REDIS_SETTINGS}"],
            "volumes": ["redis:/data", _secrets(readers.REDIS)],
            "healthcheck": _check(["CMD-SHELL", REDIS_CHECK]),
            **_after({"secrets": DONE}),
        },
        "kafka": {
            "image": IMAGES["kafka"],
            "environment": KAFKA,
            "volumes": ["kafka:/var/lib/kafka/data"],
            "healthcheck": _check(
                ["CMD", "/opt/kafka/bin/kafka-broker-api-versions.sh", "--bootstrap-server", "localhost:9092"]
            ),
            "restart": "unless-stopped",
        },
    }


def _simulators() -> dict[str, Any]:
    asks = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/healthz', timeout=2)"
    asks_mail = f"import smtplib; smtplib.SMTP('127.0.0.1', {SMTP_PORT}, timeout=2).quit()"
    return {
        "provider": _simulator("provider", PROVIDER_PORT, "--state", asks.format(port=PROVIDER_PORT)),
        "carrier": _simulator("carrier", CARRIER_PORT, "--state", asks.format(port=CARRIER_PORT)),
        "mail": _simulator("mail", SMTP_PORT, "--store", asks_mail),
    }


def _simulator(name: str, port: int, option: str, check: str) -> dict[str, Any]:
    return {
        **_image("simulators"),
        "entrypoint": ["python", "-m", f"scripts.simulators.{name}"],
        "command": ["--listen", f"0.0.0.0:{port}", option, "/data"],
        "volumes": [f"{name}:/data"],
        "healthcheck": _check(["CMD", "python", "-c", check]),
        "restart": "unless-stopped",
    }


def _jobs(registry: Registry) -> dict[str, Any]:
    """What runs once, in this order: secrets, databases, migrations and topics; and on demand the sample data."""
    services = tuple(registry.services.values())
    urls = _database_urls(services)
    given = [ALL_OF_THEM, *(f"{_volume(reader)}:/readers/{reader}" for reader in readers.of(registry))]
    ready = {"postgres": HEALTHY}
    return {
        "secrets": _job(["python", "-m", "scripts.operate.development.secrets", "/secrets", "/readers"], volumes=given),
        "databases": _job(
            ["python", "-m", "scripts.operate.development.databases", "/secrets"],
            after=ready,
            volumes=[f"{ALL_OF_THEM}:ro"],
        ),
        "migrate": _job(
            ["python", "-m", "services", "migrate"],
            environment=urls,
            after={"databases": DONE},
            volumes=[_secrets(readers.MIGRATE)],
        ),
        "topics": _job(
            ["python", "-m", "services", "topics"],
            environment={"KAFKA_BOOTSTRAP": BOOTSTRAP, "KAFKA_REPLICATION": "1"},
            after={"kafka": HEALTHY},
        ),
        "sample-data": {
            **_job(
                ["python", "-m", "scripts.sample_data"],
                image="tools",
                environment={**_addresses(services), **_admin(), **_vendor(), "EDGE_URL": f"http://edge:{EDGE_PORT}"},
                after={"edge": HEALTHY},
                volumes=[_secrets(readers.SAMPLE_DATA)],
            ),
            "profiles": ["sample-data"],
        },
    }


def _mesh(services: Iterable[Service]) -> dict[str, Any]:
    return {service.name: _service(service, tuple(services)) for service in services}


def _service(service: Service, services: tuple[Service, ...]) -> dict[str, Any]:
    needs = dict(NEEDS[system] for system in (*service.stores, *service.outside) if system in NEEDS)
    asks_provider = "provider" in service.outside
    return {
        **_image(),
        "command": [service.name],
        "environment": {**_environment(service, services), **(STRIPE if asks_provider else {})},
        "volumes": [_secrets(service.name), *([STRIPE_KEY] if asks_provider else [])],
        "healthcheck": _check(["CMD", "python", "-m", "scripts.operate.grpc_health", f"127.0.0.1:{service.port}"]),
        "stop_grace_period": "30s",
        **_after({"secrets": DONE, **({"topics": DONE} if service.on_kafka else {}), **needs}),
    }


def _environment(service: Service, services: tuple[Service, ...]) -> dict[str, str]:
    prefix = service.name.upper()
    own = {f"{prefix}_LISTEN": f"0.0.0.0:{service.port}", "METRICS_LISTEN": f"0.0.0.0:{service.metrics_port}"}
    return {
        **own,
        **_addresses(services),
        **_database_urls([service]),
        **({"KAFKA_BOOTSTRAP": BOOTSTRAP} if service.on_kafka else {}),
        **{name: url for system, (name, url) in URLS.items() if system in (*service.stores, *service.outside)},
        "MESH_KEY_FILE": "/secrets/mesh_key",
        "RPC_REFLECTION": "true",
        **({"REDIS_URL_FILE": "/secrets/redis_url"} if "redis" in service.stores else {}),
        **(
            {"USER_SIGNING_KEY_DIR": f"/secrets/{readers.SIGNING}", **_admin()}
            if service.name == readers.ACCOUNTS
            else {}
        ),
    }


def _edge(services: Iterable[Service]) -> dict[str, Any]:
    started = {service.name: HEALTHY for service in services}
    return {
        **_image("edge", dockerfile="gateway/Dockerfile"),
        "environment": {
            **_addresses(services),
            "EDGE_LISTEN": f"0.0.0.0:{EDGE_PORT}",
            "EDGE_RATE_LIMIT_FACTOR": "${EDGE_RATE_LIMIT_FACTOR:-1}",
        },
        "ports": [f"127.0.0.1:${{EDGE_PORT:-{EDGE_PORT}}}:{EDGE_PORT}"],
        "healthcheck": _check(["CMD", "python", "-c", EDGE_CHECK]),
        "stop_grace_period": "30s",
        **_after(started),
    }


def _image(target: str = "services", *, dockerfile: str = "services/Dockerfile") -> dict[str, Any]:
    return {
        "image": IMAGES[target],
        "build": {"context": ".", "dockerfile": dockerfile, "target": target},
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - inside a container that is otherwise read-only
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }


def _job(
    command: list[str],
    *,
    image: str = "services",
    environment: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    volumes: list[str] | None = None,
) -> dict[str, Any]:
    job: dict[str, Any] = {**_image(image), "entrypoint": command, "command": []}
    if environment:
        job["environment"] = environment
    if volumes:
        job["volumes"] = volumes
    return {**job, **({"depends_on": _conditions(after)} if after else {}), "restart": "on-failure"}


def _after(conditions: dict[str, str]) -> dict[str, Any]:
    return {"depends_on": _conditions(conditions), "restart": "unless-stopped"}


def _conditions(conditions: dict[str, str]) -> dict[str, Any]:
    return {name: {"condition": condition} for name, condition in conditions.items()}


def _check(command: list[str]) -> dict[str, Any]:
    return {"test": command, "interval": "5s", "timeout": "5s", "retries": 20, "start_period": "10s"}


def _addresses(services: Iterable[Service]) -> dict[str, str]:
    return {f"{service.name.upper()}_ADDR": f"{service.name}:{service.port}" for service in services}


def _database_urls(services: Iterable[Service]) -> dict[str, str]:
    return {
        f"{service.name.upper()}_DATABASE_URL_FILE": f"/secrets/{readers.database_url(service)}"
        for service in services
        if "postgres" in service.stores
    }


def _secrets(reader: str) -> str:
    return f"{_volume(reader)}:/secrets:ro"


def _volume(reader: str) -> str:
    return f"secrets-{reader}"


def _secret_volumes(registry: Registry) -> list[str]:
    return ["secrets", *map(_volume, readers.of(registry))]


def _admin() -> dict[str, str]:
    return {"ADMIN_EMAIL": f"${{ADMIN_EMAIL:-{ADMIN_EMAIL}}}", "ADMIN_PASSWORD_FILE": "/secrets/admin_password"}


def _vendor() -> dict[str, str]:
    return {"VENDOR_EMAIL": f"${{VENDOR_EMAIL:-{VENDOR_EMAIL}}}", "VENDOR_PASSWORD_FILE": "/secrets/vendor_password"}


class _Dumper(yaml.SafeDumper):
    """Writes lists indented below their key, and never an alias: the file is for people."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - pyyaml's
        return super().increase_indent(flow, False)  # noqa: FBT003 - pyyaml's own signature

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - pyyaml's own signature
        return True
