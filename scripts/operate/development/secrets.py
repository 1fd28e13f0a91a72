"""Makes the passwords and keys of an install into a volume, once; what is there stays.

python -m scripts.operate.development.secrets FOLDER
"""

import sys
from pathlib import Path

from scripts.operate import credentials, storage
from services import registry

# PostgreSQL's image reads the password as a user of its own; only containers of this stack see the volume.
READABLE = 0o644


def main(folder: Path) -> int:
    """Make what is missing. Answers with a process exit code."""
    secrets = credentials.Credentials(folder)
    secrets.mesh_key_file()
    secrets.signing_keys()
    secrets.password_file("admin")
    secrets.password_file("vendor")
    secrets.password_file("postgres").chmod(READABLE)
    for service in registry.load().services.values():
        if "postgres" in service.stores:
            role = credentials.role(service.name)
            password = secrets.password(f"database_{service.name}")
            storage.write(folder / f"{service.name}_database_url", f"postgresql://{role}:{password}@postgres/{role}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
