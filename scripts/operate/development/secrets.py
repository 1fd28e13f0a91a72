"""Makes the passwords and keys of an install into a volume, once; what is there stays. Each reader gets a copy of its own.

python -m scripts.operate.development.secrets FOLDER READERS

FOLDER holds everything, and only this job and the one that makes the databases see it. READERS has a folder for each reader
(scripts/operate/development/readers.py), which its container mounts.
"""

import shutil
import sys
from pathlib import Path

from scripts.operate import credentials, storage
from scripts.operate.development import readers
from services import registry

# The images of PostgreSQL and Redis read theirs as a user of their own; only their container sees the volume.
READABLE = 0o644
_OTHER_USERS = (readers.POSTGRES, readers.REDIS)


def main(folder: Path, copies: Path) -> int:
    """Make what is missing, and hand it out. Answers with a process exit code."""
    known = registry.load()
    _make(credentials.Credentials(folder), known)
    for reader, names in readers.of(known).items():
        for name in names:
            _copy(folder / name, copies / reader / name, mode=READABLE if reader in _OTHER_USERS else storage.PRIVATE)
    return 0


def _make(secrets: credentials.Credentials, known: registry.Registry) -> None:
    secrets.mesh_key_file()
    secrets.signing_keys()
    for name in ("admin", "vendor", "postgres"):
        secrets.password_file(name)
    redis = secrets.password("redis")
    storage.write(secrets.folder / readers.REDIS_SETTINGS, f'appendonly yes\nsave ""\nrequirepass {redis}\n')
    storage.write(secrets.folder / "redis_url", f"redis://:{redis}@redis:6379/0")
    for service in known.services.values():
        if "postgres" in service.stores:
            role, password = credentials.role(service.name), secrets.password(f"database_{service.name}")
            url = f"postgresql://{role}:{password}@postgres/{role}"
            storage.write(secrets.folder / readers.database_url(service), url)


def _copy(source: Path, target: Path, *, mode: int) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        storage.write(target, source.read_text(), mode=mode)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
