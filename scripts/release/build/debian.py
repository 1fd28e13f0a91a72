"""A base image made on this machine, for where none can be pulled: Debian's Python, under the name the Dockerfiles ask for.

It stands in for the official slim image: the same distribution and Python 3.11, out of Debian's packages.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.release.build import building
from scripts.stack.supervise import problems

PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
# The official image calls it `python`.
LINKS = ("usr/local/bin/python", "/usr/bin/python3")


def ensure(buildah: building.Buildah) -> None:
    """Make the base image unless the store has it. Raises a StackError when that fails."""
    if buildah.has(building.BASE):
        return
    with tempfile.TemporaryDirectory(prefix="souk-base-") as folder:
        archive = Path(folder) / "rootfs.tar"
        _debian(archive)
        with buildah.container("scratch") as container:
            buildah.run("add", container, str(archive), "/")
            buildah.run("config", "--cmd", "python3", container)
            buildah.run("commit", container, building.BASE)


def install(packages: Sequence[str]) -> None:
    """Install packages of the machine's own Debian. Raises a StackError without root, or where there is no apt."""
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", *packages),
    ):
        if not shutil.which(command[0]) or subprocess.run(command, capture_output=True, check=False).returncode:
            raise problems.StackError(f"`{' '.join(command)}` failed: is this Debian, and are you root?")


def _debian(archive: Path) -> None:
    link = f'ln -s {LINKS[1]} "$1/{LINKS[0]}"'
    command = ("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", f"--customize-hook={link}", "bookworm")
    done = subprocess.run((*command, str(archive)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise problems.StackError(f"images: the base could not be made: {done.stderr.strip().splitlines()[-1:]}")
