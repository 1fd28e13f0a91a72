"""What each process of a stack is told by its environment, and what the stack tells scripts and tests.

A server the user already has wins: when KAFKA_BOOTSTRAP, REDIS_URL, PAYMENT_PROVIDER_URL, CARRIER_URL, SMTP_URL,
CATALOG_IMAGES_BUCKET or the databases' URLs are set, that one is used and none is started here. Values that came out of a
stack's own env file (`. .souk/env`) do not count as the user's: they are left out, whatever stack they name.
"""

import itertools
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.operate import credentials, storage
from scripts.operate import environment as env_file
from scripts.stack import layout
from scripts.stack.supervise import problems
from services import registry

SERVERS = {
    "KAFKA_BOOTSTRAP": "kafka",
    "REDIS_URL": "redis",
    "PAYMENT_PROVIDER_URL": "provider",
    "CARRIER_URL": "carrier",
    "SMTP_URL": "mail",
    "CATALOG_IMAGES_BUCKET": "objects",
}
# What the registry calls them.
_SYSTEMS = {**SERVERS, "SMTP_URL": "smtp", "CATALOG_IMAGES_BUCKET": "s3"}
# The bucket that is started here, and credentials that it does not check.
BUCKET, REGION = "souk-images", "eu-central-1"
_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
# Which of the exported values are the user's own servers, so that later commands know it too.
EXTERNAL = "SOUK_EXTERNAL"
# A stack for tests lets every wait end soon, and its edge does not hold a test suite back. Tests are told the waits.
PATIENCE_OF_TESTS = {
    "ORDER_STOCK_DEADLINE_S": "4",
    "ORDER_PAYMENT_DEADLINE_S": "6",
    "ORDER_CONFIRMATION_DEADLINE_S": "10",
    "ORDER_COMPENSATION_DEADLINE_S": "2",
    "INVENTORY_HOLD_S": "30",
    "PAYMENT_PROVIDER_TIMEOUT_S": "3",
    "PAYMENT_CONFIRM_POLL_S": "0.5",
    "PAYMENT_BREAKER_RESET_S": "2",
    "CARRIER_TIMEOUT_S": "3",
    "CARRIER_BREAKER_RESET_S": "2",
}
# Where tests ship to, there are no taxes, unless a test is about them.
TAXES_OF_TESTS = {"ORDER_TAX_RATES": '{"US-CA": {"standard": "7.25", "food": "0"}}'}
FOR_TESTS = {
    **PATIENCE_OF_TESTS,
    **TAXES_OF_TESTS,
    "EDGE_RATE_LIMIT_FACTOR": "1000",
    "SHIPPING_TRACK_S": "0.3",
    # Tests sign with them what the provider, the carrier and the mail server tell of by themselves, and tell the simulators to.
    "PAYMENT_WEBHOOK_SECRETS": "whsec_of_tests",
    "CARRIER_WEBHOOK_SECRETS": "whsec_of_carrier_tests",
    "NOTIFICATION_WEBHOOK_SECRETS": "whsec_of_mail_tests",
    "CATALOG_IMAGES_CLEAR_S": "0.3",
    "RECOMMENDATION_TOGETHER_S": "0.1",
    "RECOMMENDATION_TRENDING_S": "0.1",
}
# The sample shop has no warehouse whose people pick and pack, and its customers do not wait for days.
FOR_A_TRY = {"SHIPPING_AUTOMATIC": "true", "SHIPPING_TRACK_S": "1"}
# What only a service that talks to an outside system may know: keys and what signs its webhooks, or the files with them.
_KEYS_OUTSIDE: Mapping[str, tuple[str, ...]] = {
    "provider": ("STRIPE_API_KEY", "STRIPE_API_KEY_FILE", "PAYMENT_WEBHOOK_SECRETS", "PAYMENT_WEBHOOK_SECRETS_FILE"),
    "carrier": ("CARRIER_WEBHOOK_SECRETS", "CARRIER_WEBHOOK_SECRETS_FILE"),
    "smtp": ("NOTIFICATION_WEBHOOK_SECRETS", "NOTIFICATION_WEBHOOK_SECRETS_FILE"),
}
_NOT_PASSED_ON = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKE_TERMOUT", "MAKE_TERMERR", "PYTHONPATH", "VIRTUAL_ENV"}


@dataclass(frozen=True, slots=True)
class Settings:
    """A stack, its services, the user's environment and the servers the user already has."""

    stack: layout.Stack
    services: tuple[registry.Service, ...]
    given: Mapping[str, str]
    external: Mapping[str, str] = field(default_factory=dict)

    @property
    def preset(self) -> Mapping[str, str]:
        """What this stack sets where the user does not."""
        return FOR_A_TRY if self.stack.name == layout.MAIN else FOR_TESTS

    @property
    def secrets(self) -> credentials.Credentials:
        """The stack's passwords and keys."""
        return credentials.Credentials(self.stack.folder / "secrets")

    def starts(self, server: str) -> bool:
        """Tell whether this stack runs the server (postgres, kafka, redis, provider, carrier, mail, objects) itself."""
        if server == "postgres":
            return any(self.database_variable(s) not in self.external for s in self.with_database())
        return server not in {SERVERS[variable] for variable in self.external if variable in SERVERS}

    def with_database(self) -> tuple[registry.Service, ...]:
        """The services that keep a database."""
        return tuple(service for service in self.services if "postgres" in service.stores)

    def database_variable(self, service: registry.Service) -> str:
        """The variable that holds a service's database URL."""
        return f"{prefix(service)}_DATABASE_URL"

    def database_url(self, service: registry.Service) -> str:
        """Where a service finds its own database: the user's, or the one of this stack's server."""
        role, password = credentials.role(service.name), self.secrets.password(f"database_{service.name}")
        local = f"postgresql://{role}:{password}@{self.stack.address('postgres')}/{role}"
        return self.external.get(self.database_variable(service), local)

    @property
    def admin_database_url(self) -> str:
        """The superuser's way into this stack's PostgreSQL server."""
        return f"postgresql://souk:{self.secrets.password('postgres')}@{self.stack.address('postgres')}/postgres"

    @property
    def edge_url(self) -> str:
        """Where the edge answers."""
        return f"http://{layout.HOST}:{self.stack.edge_port}"

    def mesh_addresses(self) -> dict[str, str]:
        """`<SERVICE>_ADDR` of every service."""
        return {
            f"{prefix(service)}_ADDR": f"{layout.HOST}:{self.stack.service_port(service.port)}"
            for service in self.services
        }

    def metrics_addresses(self) -> dict[str, str]:
        """`<SERVICE>_METRICS_ADDR` of every service: where its process offers Prometheus metrics."""
        together = self.stack.together_metrics_port
        return {
            f"{prefix(service)}_METRICS_ADDR": f"{layout.HOST}:"
            f"{together if self.stack.together else self.stack.metrics_port(service.metrics_port)}"
            for service in self.services
        }

    def health_addresses(self) -> dict[str, str]:
        """Where each service can be asked for its health: its own port, and that of its process where TLS guards it."""
        stack = self.stack
        if not stack.mesh_tls:
            return {s.name: f"{layout.HOST}:{stack.service_port(s.port)}" for s in self.services}
        return {
            s.name: f"{layout.HOST}:{stack.together_health_port if stack.together else stack.health_port(s.port)}"
            for s in self.services
        }

    def tls(self, *identities: str) -> dict[str, str]:
        """What a process with these identities is told of its certificates; nothing in a stack without."""
        if not self.stack.mesh_tls:
            return {}
        return {"MESH_TLS_DIR": str(self.stack.tls / identities[0] if len(identities) == 1 else self.stack.tls)}

    def servers(self) -> dict[str, str]:
        """Where the servers are, ours or the user's."""
        redis_password = self.secrets.password("redis")
        local = {
            "KAFKA_BOOTSTRAP": self.stack.address("kafka"),
            "REDIS_URL": f"redis://:{redis_password}@{self.stack.address('redis')}/0",
            "PAYMENT_PROVIDER_URL": f"http://{self.stack.address('provider')}",
            "CARRIER_URL": f"http://{self.stack.address('carrier')}",
            "SMTP_URL": f"smtp://{self.stack.address('mail')}",
            "CATALOG_IMAGES_BUCKET": BUCKET,
        }
        return {variable: self.external.get(variable, value) for variable, value in local.items()}

    def servers_of(self, hosted: Iterable[registry.Service]) -> dict[str, str]:
        """Where those servers are that these services use, by their registry blocks."""
        used = {system for service in hosted for system in (*service.stores, *service.outside)}
        used |= {"kafka" for service in hosted if service.on_kafka}
        return {variable: url for variable, url in self.servers().items() if _SYSTEMS[variable] in used}

    def bucket_of(self, hosted: Iterable[registry.Service]) -> dict[str, str]:
        """How those of these services that keep objects reach the bucket that is started here. The user's own AWS wins."""
        if not self.starts("objects") or not any("s3" in service.outside for service in hosted):
            return {}
        url = f"http://{self.stack.address('objects')}"
        own = {"AWS_ACCESS_KEY_ID", "AWS_PROFILE"} & set(self.given)
        return {
            "CATALOG_IMAGES_URL": f"{url}/{BUCKET}",
            "S3_ENDPOINT_URL": url,
            "AWS_REGION": self.given.get("AWS_REGION", REGION),
            **({} if own else _KEYS),
        }

    def admin(self) -> tuple[str, Path]:
        """The administrator's address and the file with the password, chosen by the user or by this install."""
        chosen = self.given.get("ADMIN_PASSWORD", "")
        file = self.secrets.keep_password("admin", chosen) if chosen else self.secrets.password_file("admin")
        return self.given.get("ADMIN_EMAIL", "admin@souk.example"), file

    def vendor(self) -> tuple[str, str]:
        """The address and password of the sample shop's vendor, chosen by the user or by this install."""
        chosen = self.given.get("VENDOR_PASSWORD", "")
        file = self.secrets.keep_password("vendor", chosen) if chosen else self.secrets.password_file("vendor")
        return self.given.get("VENDOR_EMAIL", "vendor@souk.example"), file.read_text().strip()


def prefix(service: registry.Service) -> str:
    """How a service's environment variables begin: ORDER for order."""
    return service.name.upper()


def read(stack: layout.Stack, environment: Mapping[str, str], *, resume: bool = False) -> Settings:
    """The settings of a stack in the user's environment. `resume` takes the user's servers from the last `up`.

    Raises a StackError when only some of the databases are given.
    """
    services = tuple(registry.load().services.values())
    given = _users_own(environment, stack.root)
    external = _last_external(stack) if resume else _external(given, services)
    return Settings(stack, services, given, external)


def process_environment(settings: Settings, services: Iterable[registry.Service], metrics_port: int) -> dict[str, str]:
    """The whole environment of a process that hosts the given services: theirs, and no other service's secrets."""
    email, password_file = settings.admin()
    hosted = tuple(services)
    environment = {
        **passed_on(settings),
        **settings.servers_of(hosted),
        **settings.bucket_of(hosted),
        **settings.mesh_addresses(),
        "METRICS_LISTEN": f"{layout.HOST}:{metrics_port}",
        "RPC_REFLECTION": settings.given.get("RPC_REFLECTION", "true"),
        "MESH_KEY_FILE": str(settings.secrets.mesh_key_file()),
        "USER_SIGNING_KEY_DIR": str(settings.secrets.signing_keys()),
        "ADMIN_EMAIL": email,
        "ADMIN_PASSWORD_FILE": str(password_file),
        "KAFKA_REPLICATION": settings.given.get("KAFKA_REPLICATION", "1"),
    }
    environment |= settings.tls(*(service.name for service in hosted))
    if settings.stack.mesh_tls:
        environment["HEALTH_LISTEN"] = settings.health_addresses()[hosted[0].name]
    for service in hosted:
        environment[f"{prefix(service)}_LISTEN"] = settings.mesh_addresses()[f"{prefix(service)}_ADDR"]
        if service in settings.with_database():
            environment[settings.database_variable(service)] = settings.database_url(service)
        told = {**settings.preset, **settings.given}
        known = [name for system in service.outside for name in _KEYS_OUTSIDE.get(system, ())]
        environment |= {name: told[name] for name in known if told.get(name)}
    return environment


def passed_on(settings: Settings) -> dict[str, str]:
    """The user's environment, without the databases and passwords that only some processes may know."""
    # Whoever hosts the payment service is told Stripe's key; nobody else is. So with all that is for one outside system.
    own = {settings.database_variable(service) for service in settings.services} | {
        "ADMIN_PASSWORD",
        "VENDOR_PASSWORD",
        *itertools.chain.from_iterable(_KEYS_OUTSIDE.values()),
    }
    told = {**settings.preset, **settings.given}
    kept = {name: value for name, value in told.items() if name not in own | _NOT_PASSED_ON}
    # Links in mail lead to the edge.
    return {"NOTIFICATION_PUBLIC_URL": settings.edge_url, **kept, "PYTHONUNBUFFERED": "1"}


def exported(settings: Settings) -> dict[str, str]:
    """What scripts and tests are told: the env file."""
    email, password_file = settings.admin()
    vendor_email, vendor_password = settings.vendor()
    stack = settings.stack
    values = {
        "SOUK_STACK": stack.name,
        "SOUK_STACK_DIR": str(stack.folder),
        "EDGE_URL": settings.edge_url,
        "EDGE_ADMIN_URL": f"http://{stack.address('edge-admin')}",
        **settings.mesh_addresses(),
        **settings.metrics_addresses(),
        "ADMIN_EMAIL": email,
        "ADMIN_PASSWORD": password_file.read_text().strip(),
        "VENDOR_EMAIL": vendor_email,
        "VENDOR_PASSWORD": vendor_password,
        **settings.servers(),
        "KAFKA_REPLICATION": settings.given.get("KAFKA_REPLICATION", "1"),
        **{settings.database_variable(s): settings.database_url(s) for s in settings.with_database()},
        "MESH_KEY_FILE": str(settings.secrets.mesh_key_file()),
        "USER_SIGNING_KEY_DIR": str(settings.secrets.signing_keys()),
        # Programs on this machine that call a service do it as the edge.
        **settings.tls("edge"),
        EXTERNAL: " ".join(sorted(settings.external)),
    }
    if settings.starts("postgres"):
        values["POSTGRES_ADMIN_URL"] = settings.admin_database_url
    if settings.starts("mail"):
        values["MAIL_STORE"] = str(stack.folder / "mail")
    if stack.name != layout.MAIN:
        values |= {name: settings.given.get(name, value) for name, value in PATIENCE_OF_TESTS.items()}
    return values


def tool_environment(settings: Settings) -> dict[str, str]:
    """The environment of a program that uses the stack from outside: the user's, and what the env file says."""
    kept = {name: value for name, value in settings.given.items() if name not in _NOT_PASSED_ON}
    return {**kept, **exported(settings), "PYTHONUNBUFFERED": "1"}


def write(settings: Settings) -> None:
    """Write the stack's env file; the main stack's is `.souk/env` as well."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in exported(settings).items()]
    text = "# Written by the local stack; load it with: set -a; . .souk/env; set +a\n" + "".join(lines)
    storage.write(settings.stack.env_file, text)
    if settings.stack.name == layout.MAIN:
        storage.write(settings.stack.root / ".souk" / "env", text)


def _users_own(environment: Mapping[str, str], root: Path) -> dict[str, str]:
    """The environment without what stacks wrote into it."""
    written: set[tuple[str, str]] = set()
    for path in (root / ".souk" / "stacks").glob("*/env"):
        values = env_file.load(path)
        theirs = set(values.get(EXTERNAL, "").split())
        written |= {(name, value) for name, value in values.items() if name not in theirs}
    return {name: value for name, value in environment.items() if (name, value) not in written}


def _external(given: Mapping[str, str], services: tuple[registry.Service, ...]) -> dict[str, str]:
    databases = [f"{prefix(service)}_DATABASE_URL" for service in services if "postgres" in service.stores]
    missing = [name for name in databases if not given.get(name)]
    if missing and len(missing) < len(databases):
        raise problems.StackError(
            f"some databases are given and some are not: set {', '.join(missing)} too, or unset the others"
        )
    return {name: given[name] for name in (*SERVERS, *databases) if given.get(name)}


def _last_external(stack: layout.Stack) -> dict[str, str]:
    values = env_file.load(stack.env_file)
    return {name: values[name] for name in values.get(EXTERNAL, "").split()}
