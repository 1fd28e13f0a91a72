"""Gives every service of the registry its database and its role, with the passwords that `secrets` made.

python -m scripts.compose.databases FOLDER
"""

import sys
from pathlib import Path

from scripts.local import credentials, databases
from services import registry


def main(folder: Path) -> int:
    """Make what is missing. Answers with a process exit code."""
    secrets = credentials.Credentials(folder)
    services = [service for service in registry.load().services.values() if "postgres" in service.stores]
    passwords = {service.name: secrets.password(f"database_{service.name}") for service in services}
    databases.ensure(f"postgresql://souk:{secrets.password('postgres')}@postgres/postgres", passwords)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
