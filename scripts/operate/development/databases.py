"""Gives every service of the registry its database and its role, with the passwords that were made before.

    python -m scripts.operate.development.databases FOLDER [HOST]

The folder holds `postgres_password` and a `database_SERVICE_password` for each service. The server at HOST (`postgres`) may
still be starting.
"""

import sys
import time
from pathlib import Path

import psycopg

from scripts.operate import credentials, databases
from services import registry

WAIT_S = 60.0


def main(folder: Path, host: str = "postgres") -> int:
    """Make what is missing. Answers with a process exit code; raises OperationalError when the server does not come up."""
    secrets = credentials.Credentials(folder)
    services = [service for service in registry.load().services.values() if "postgres" in service.stores]
    passwords = {service.name: secrets.password(f"database_{service.name}") for service in services}
    url = f"postgresql://souk:{secrets.password('postgres')}@{host}/postgres"
    _await(url)
    databases.ensure(url, passwords)
    return 0


def _await(url: str) -> None:
    until = time.monotonic() + WAIT_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
