"""Certificates in folders, changed as the kubelet changes a mounted secret: all files of one in the same instant."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.operate.mesh_certificates.authority import Pair

CERTIFICATE, KEY, TRUSTED = "tls.crt", "tls.key", "ca.crt"


@dataclass(frozen=True, slots=True)
class Folders:
    """A folder per identity below `root`, named as the identity is; the authority's lies beside them."""

    root: Path

    def read(self, name: str) -> Pair | None:
        """The pair in a folder, if there is one."""
        folder = self.folder(name)
        try:
            return Pair((folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes())
        except FileNotFoundError:
            return None

    def write(self, name: str, pair: Pair, trusted: bytes) -> None:
        """Put the pair and whom to trust into the folder, all at once; only its owner may read them."""
        write(self.folder(name), {CERTIFICATE: pair.certificate, KEY: pair.key, TRUSTED: trusted})

    def folder(self, name: str) -> Path:
        """Where a pair is kept: what MESH_TLS_DIR says."""
        return self.root / name.removesuffix("-tls")


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Change the files of a folder together: they are links into a folder that one rename exchanges."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = (folder / "..data").resolve() if (folder / "..data").is_symlink() else None
    fresh = folder / f"..{os.urandom(6).hex()}"
    fresh.mkdir(mode=0o700)
    for name, content in files.items():
        descriptor = os.open(fresh / name, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    link = folder / "..data.new"
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.replace(folder / "..data")
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path("..data") / name)
    if before:
        shutil.rmtree(before, ignore_errors=True)
