"""Who reads which secret of an installation's own servers: each container gets a folder with its own, and no other's.

python -m scripts.operate.development.readers FOLDER    makes an empty folder for each there, as the image is built

A volume that is mounted there the first time takes over the owner, who may fill it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from services.registry import Registry, Service, load

# Signs users' tokens and makes the first administrator; a test compares it with the chart's values.
ACCOUNTS = "user"
POSTGRES, REDIS, MIGRATE, SAMPLE_DATA = "postgres", "redis", "migrate", "sample-data"
SIGNING = "signing"
REDIS_SETTINGS = "redis.conf"


def of(registry: Registry) -> Mapping[str, tuple[str, ...]]:
    """The names of what each container reads, as files (SIGNING is a folder)."""
    services = tuple(registry.services.values())
    return {
        POSTGRES: ("postgres_password",),
        REDIS: (REDIS_SETTINGS,),
        MIGRATE: tuple(database_url(service) for service in services if "postgres" in service.stores),
        SAMPLE_DATA: ("admin_password", "vendor_password"),
        **{service.name: _of_service(service) for service in services},
    }


def database_url(service: Service) -> str:
    """The file with the URL of a service's database."""
    return f"{service.name}_database_url"


def _of_service(service: Service) -> tuple[str, ...]:
    stores = {"postgres": database_url(service), "redis": "redis_url"}
    own = tuple(file for store, file in stores.items() if store in service.stores)
    return ("mesh_key", *own, *((SIGNING, "admin_password") if service.name == ACCOUNTS else ()))


def main(folder: Path) -> int:
    """Make the folders. Answers with a process exit code."""
    for reader in of(load()):
        (folder / reader).mkdir(parents=True, exist_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
