"""Which images there are, and how each is built with what this machine has."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.supervise import places, problems

BASE = "docker.io/library/python:3.11.13-slim-bookworm"
SERVICES, EDGE = "services/Dockerfile", "gateway/Dockerfile"
PACKAGES = "services/requirements.lock"
# Where a certificate bundle of the machine is seen by the steps of a build that download packages.
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True)
class Image:
    """An image: its name, its Dockerfile, the stage of it, and the lock files that say which packages are inside."""

    name: str
    dockerfile: str
    target: str
    locks: tuple[str, ...]

    @property
    def short(self) -> str:
        """Its name within Souk: `edge` for `souk/edge`."""
        return self.name.removeprefix("souk/")


IMAGES = (
    Image("souk/services", SERVICES, "services", (PACKAGES,)),
    Image("souk/tools", SERVICES, "tools", (PACKAGES, "services/tools.lock")),
    Image("souk/simulators", SERVICES, "simulators", (PACKAGES, "services/simulators.lock")),
    Image("souk/edge", EDGE, "edge", ("gateway/requirements.lock",)),
)
# No part of a release: it is what releases are made in. Built only by name.
AGENT = Image("souk/jenkins-agent", "k8s/jenkins/Dockerfile", "agent", ("scripts/release/go.lock",))


@dataclass(frozen=True, slots=True)
class Version:
    """What is written on an image: its version, which is its tag too, and the commit it was made of."""

    tag: str
    revision: str

    def labels(self) -> Mapping[str, str]:
        """What an image says of itself, by the names that the Open Container Initiative gives."""
        return {
            "org.opencontainers.image.version": self.tag,
            "org.opencontainers.image.revision": self.revision,
        }


class Docker:
    """Builds with a Docker engine."""

    def build(self, image: Image, version: Version) -> None:
        """Build one image. Raises a StackError when that fails."""
        labels = (part for name, value in version.labels().items() for part in ("--label", f"{name}={value}"))
        _run("docker", "build", *_arguments(image), *labels, "--tag", f"{image.name}:{version.tag}", ".")


@dataclass(frozen=True, slots=True)
class Buildah:
    """Builds with buildah, as root and without an engine; `store` is where it keeps images and layers."""

    store: Path

    def build(self, image: Image, version: Version) -> None:
        """Build one image. The steps use this machine's network, and its certificates. Raises a StackError."""
        # The format of Docker, because that of OCI knows no health check.
        options = ("--isolation", "chroot", "--network", "host", "--format", "docker", "--layers", "--pull-never")
        trusted = ("--volume", f"{BUNDLE}:{BUNDLE}:ro") if Path(BUNDLE).is_file() else ()
        unlabelled = f"localhost/{image.name}:unlabelled"
        self.run("build", *options, *trusted, *_arguments(image), "--tag", unlabelled, ".")
        self._label(unlabelled, f"{image.name}:{version.tag}", version.labels())

    def _label(self, unlabelled: str, tag: str, labels: Mapping[str, str]) -> None:
        # Not by options of the build: what is found among the layers keeps the labels of the commit that made them.
        options = (part for name, value in labels.items() for part in ("--label", f"{name}={value}"))
        with self.container(unlabelled) as container:
            self.run("config", *options, container)
            self.run("commit", "--format", "docker", container, tag)

    @contextmanager
    def container(self, image: str) -> Iterator[str]:
        """A container of an image in the store, to look into or to change and commit; it is gone after the block."""
        container = self.ask("from", "--pull-never", image)
        try:
            yield container
        finally:
            self.ask("rm", container)

    def has(self, reference: str) -> bool:
        """Whether the store holds an image."""
        return subprocess.run((*self.command(), "inspect", reference), capture_output=True, check=False).returncode == 0

    def command(self) -> tuple[str, ...]:
        """Buildah with its store."""
        root, run = str(self.store / "root"), str(self.store / "run")
        return ("buildah", "--root", root, "--runroot", run, "--storage-driver", _driver())

    def run(self, *arguments: str) -> None:
        """Run buildah. Raises a StackError when it fails."""
        _run(*self.command(), *arguments)

    def ask(self, *arguments: str) -> str:
        """What buildah answers. Raises a StackError when it fails."""
        done = subprocess.run((*self.command(), *arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise problems.StackError(f"buildah {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()


def engine(store: Path) -> Docker | Buildah:
    """What this machine builds with. Raises a StackError when it has nothing."""
    if shutil.which("docker") and subprocess.run(("docker", "info"), capture_output=True, check=False).returncode == 0:
        return Docker()
    if shutil.which("buildah") and os.geteuid() == 0:
        return Buildah(store)
    raise problems.StackError("images: neither a Docker engine nor buildah (as root) is here to build with")


def version() -> Version:
    """The version that VERSION gives, or `local`, and the commit that is checked out."""
    asked = subprocess.run(("git", "rev-parse", "HEAD"), cwd=places.ROOT, capture_output=True, text=True, check=False)
    return Version(os.environ.get("VERSION") or "local", asked.stdout.strip() or "unknown")


def _driver() -> str:
    # The other one copies everything that is below a layer: ten times the time and the space.
    return "overlay" if "overlay" in Path("/proc/filesystems").read_text() else "vfs"


def _arguments(image: Image) -> Sequence[str]:
    return (
        *("--file", image.dockerfile, "--target", image.target),
        *("--build-arg", f"PYTHON_IMAGE={os.environ.get('PYTHON_IMAGE') or BASE}"),
    )


def _run(*command: str) -> None:
    if code := subprocess.run(command, cwd=places.ROOT, check=False).returncode:
        raise problems.StackError(f"images: {command[0]} ended with code {code} (see above)")
