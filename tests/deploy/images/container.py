"""Runs a program out of an image as a cluster does: as the image's user, on a root file system that nobody can write to.

A mount namespace of its own shows the image's files read-only, with an empty /tmp, and without any shell: what runs needs
none. The network is this machine's, so that a test can talk to it on the loopback address.
"""

import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.release.build import building

USER = "10001:10001"
SHELLS = ("usr/bin/sh", "usr/bin/bash", "usr/bin/dash")


@dataclass(frozen=True, slots=True)
class Image:
    """An image in buildah's store: what it says of itself, and its files."""

    configuration: Mapping[str, Any]
    files: Path
    megabytes: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(item.split("=", 1) for item in self.configuration["Env"])

    @contextmanager
    def running(
        self, command: Sequence[str], environment: Mapping[str, str], *, files: Mapping[Path, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The program in the image; killed at the block's end if it still runs. `files` are shown inside, read-only."""
        with self.start(command, environment, files=files) as process:
            try:
                yield process
            finally:
                process.kill()

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], *, files: Mapping[Path, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start the program. Its output comes by the pipe `stdout`."""
        told = [f"{name}={value}" for name, value in {**self.environment, **environment}.items()]
        inside = ["chroot", f"--userspec={USER}", str(self.files), "env", "-i", "-C", "/souk", *told, *command]
        script = "\n".join([*self._mounts(files or {}), f"exec {shlex.join(inside)}"])
        return subprocess.Popen(  # noqa: S603 - the test's own words
            ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-euc", script],  # noqa: S607 - the machine's own
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def answer(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """The exit code of a program in the image, and what it says."""
        with self.start(command, environment or {}) as process:
            said, _ = process.communicate(timeout=120)
        return process.returncode, said.decode(errors="replace")

    def _mounts(self, files: Mapping[Path, str]) -> list[str]:
        root = shlex.quote(str(self.files))
        shells = [f"[ ! -e {root}/{shell} ] || mount --bind /dev/null {root}/{shell}" for shell in SHELLS]
        shown = [f"mount --bind {shlex.quote(str(path))} {root}{where}" for path, where in files.items()]
        return [
            f"mount --bind {root} {root}",
            *shells,
            *shown,
            f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp",  # noqa: S108 - of the container alone
            f"mount --rbind /dev {root}/dev",
            f"mount -t proc proc {root}/proc",
            f"mount -o remount,bind,ro {root}",
        ]


@contextmanager
def opened(buildah: building.Buildah, name: str) -> Iterator[Image]:
    """An image of the store, with its files at hand; they are gone after the block."""
    configuration = json.loads(buildah.ask("inspect", "--type", "image", name))["Docker"]["config"]
    with buildah.container(name) as container:
        files = Path(buildah.ask("mount", container))
        yield Image(configuration, files, _megabytes(files))


def _megabytes(files: Path) -> int:
    counted = subprocess.run(  # noqa: S603 - the test's own words
        ["du", "-smx", str(files)],  # noqa: S607 - the machine's own
        capture_output=True,
        text=True,
        check=True,
    )
    return int(counted.stdout.split()[0])
