"""The job `credentials`: fills the secrets that Terraform has made empty, and changes those that are in use.

    python -m scripts.operate.cloud.credentials fill   SETTINGS   makes what is missing: databases, roles, passwords, keys
    python -m scripts.operate.cloud.credentials rotate SETTINGS   changes passwords of databases and cache, and the mesh keys

SETTINGS is Terraform's output `credentials` as JSON. It runs inside the cluster, where alone the databases can be reached,
with a role that may write these secrets and read the masters' (scripts/cloud/manifests.py). Both can be repeated.
"""

import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scripts.operate.cloud import databases


@dataclass(frozen=True, slots=True)
class Database:
    """A service's database: on which server, and what it is called."""

    server: str
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Terraform's output `credentials`, as far as the job needs it."""

    region: str
    secrets: str
    databases: dict[str, Database]
    servers: dict[str, dict[str, Any]]
    cache: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> "Settings":
        """Raises KeyError when something is missing."""
        document = json.loads(text)
        found = {service: Database(**database) for service, database in document["databases"].items()}
        return cls(document["region"], document["secrets"], found, document["servers"], document["cache"])


class Secrets:
    """The secrets under one path, each a JSON object."""

    def __init__(self, client: Any, path: str) -> None:
        self._client = client
        self._path = path

    def read(self, name: str) -> dict[str, str] | None:
        """What is in one of ours; None when it has never been filled."""
        return self.read_elsewhere(f"{self._path}/{name}")

    def read_elsewhere(self, identifier: str) -> dict[str, str] | None:
        """The same, by its whole name or ARN."""
        try:
            answer = self._client.get_secret_value(SecretId=identifier)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        document: dict[str, str] = json.loads(answer["SecretString"])
        return document

    def write(self, name: str, content: dict[str, str]) -> None:
        """Fill or replace one of ours; the version before it can still be read."""
        self._client.put_secret_value(SecretId=f"{self._path}/{name}", SecretString=json.dumps(content))


class Credentials:
    """What there is to fill and to change. `tls` is how services check the servers' certificates."""

    def __init__(self, settings: Settings, kept: Secrets, elasticache: Any, *, tls: str | None = None) -> None:
        self._settings = settings
        self._secrets = kept
        self._elasticache = elasticache
        self._tls = tls

    def fill(self) -> list[str]:
        """Make what is missing: the names of the secrets that were filled."""
        filled = [name for name, make in _MADE.items() if self._fill_once(name, make)]
        for service, database in self._settings.databases.items():
            filled += self._fill_database(service, database)
        return filled if self._secrets.read("redis") else [*filled, *self._rotate_cache()]

    def rotate(self) -> list[str]:
        """Change what is in use: the names of the secrets that have new passwords."""
        changed = []
        for service, database in self._settings.databases.items():
            server = self._server(database)
            with server.connection() as connection:
                databases.ensure(connection, database.name)
                self._turn(connection, server, service, database.name)
                self._renew_migration(connection, server, service, database.name)
            changed += [f"{service}-database", f"{service}-migration"]
        return [*changed, *self._rotate_mesh(), *self._rotate_cache()]

    def _fill_once(self, name: str, make: Any) -> bool:
        if self._secrets.read(name) is not None:
            return False
        self._secrets.write(name, make())
        return True

    def _fill_database(self, service: str, database: Database) -> list[str]:
        server = self._server(database)
        filled = []
        with server.connection() as connection:
            databases.ensure(connection, database.name)
            if self._secrets.read(f"{service}-database") is None:
                self._turn(connection, server, service, database.name)
                filled.append(f"{service}-database")
            if self._secrets.read(f"{service}-migration") is None:
                self._renew_migration(connection, server, service, database.name)
                filled.append(f"{service}-migration")
        return filled

    def _turn(self, connection: Any, server: databases.Server, service: str, database: str) -> None:
        """The one of the two logins that is not in use gets a new password and is the one in use from now on."""
        current = self._secrets.read(f"{service}-database")
        user = urlsplit(current["url"]).username if current else None
        self._renew(connection, server, f"{service}-database", databases.next_turn(user, database), database)

    def _renew_migration(self, connection: Any, server: databases.Server, service: str, database: str) -> None:
        self._renew(connection, server, f"{service}-migration", databases.MIGRATION, database)

    def _renew(self, connection: Any, server: databases.Server, secret: str, part: str, database: str) -> None:
        user, password = databases.login(database, part), secrets.token_urlsafe(32)
        databases.give_password(connection, user, password)
        self._secrets.write(secret, {"url": server.url(user, password, database)})

    def _server(self, database: Database) -> databases.Server:
        server = self._settings.servers[database.server]
        master = self._secrets.read_elsewhere(server["master_secret"])
        if master is None:
            raise KeyError(f"the master of {database.server} has no password")
        options = {} if self._tls is None else {"options": self._tls}
        return databases.Server(server["address"], server["port"], master["username"], master["password"], **options)

    def _rotate_mesh(self) -> list[str]:
        mesh = self._secrets.read("mesh")
        self._secrets.write("mesh", {"mesh_key": " ".join(turned(mesh["mesh_key"].split() if mesh else []))})
        return ["mesh"]

    def _rotate_cache(self) -> list[str]:
        """ElastiCache takes the password before this one until the next change."""
        group, token = self._settings.cache["id"], secrets.token_hex(24)
        self._elasticache.modify_replication_group(
            ReplicationGroupId=group, AuthToken=token, AuthTokenUpdateStrategy="ROTATE", ApplyImmediately=True
        )
        self._elasticache.get_waiter("replication_group_available").wait(ReplicationGroupId=group)
        address = f"{self._settings.cache['address']}:{self._settings.cache['port']}"
        self._secrets.write("redis", {"url": f"rediss://:{token}@{address}/0"})
        return ["redis"]


def turned(keys: Sequence[str]) -> list[str]:
    """The mesh's keys after these, of which the first signs and each verifies.

    The one that signs from now on was known everywhere before, and the one before it goes on to verify: pods that read the
    change sooner and later understand each other. Two changes must be further apart than a mounted secret is late (minutes).
    """
    new = secrets.token_hex(32)
    if len(keys) > 1:
        return [keys[1], new, keys[0]]
    return [*(keys or [secrets.token_hex(32)]), new]


def _signing_key() -> dict[str, str]:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {f"{secrets.token_hex(4)}.pem": pem.decode()}


# What is made here and nowhere else, by the names and keys that the chart gives it.
_MADE = {
    "mesh": lambda: {"mesh_key": " ".join(turned([]))},
    "signing": _signing_key,
    "admin": lambda: {"password": secrets.token_urlsafe(24)},
}


def main(command: str, path: Path) -> int:
    """Fill or rotate. Answers with a process exit code; it prints names and never a secret."""
    settings = Settings.read(path.read_text())
    kept = Secrets(boto3.client("secretsmanager", region_name=settings.region), settings.secrets)
    credentials = Credentials(settings, kept, boto3.client("elasticache", region_name=settings.region))
    done = credentials.fill() if command == "fill" else credentials.rotate()
    print(f"{command}: {', '.join(done) or 'nothing was missing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
