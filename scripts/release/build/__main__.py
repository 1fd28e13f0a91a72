"""Builds the images of Souk, or only those that are named.

python -m scripts.release.build [NAME...]       VERSION=1.2.3 gives the tag (local without it); jenkins-agent only by its name
python -m scripts.release.build packages        install Debian's packages that build images without an engine (as root)
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.release.build import building, debian
from scripts.stack.supervise import places, problems

STORE = places.ROOT / ".souk" / "images"
PACKAGES = ("buildah", "mmdebstrap")


def main(arguments: Sequence[str], store: Path = STORE) -> int:
    """Build what is asked for. Answers with a process exit code; a problem is one line on stderr."""
    try:
        if list(arguments) == ["packages"]:
            debian.install(PACKAGES)
            return 0
        build(building.engine(store), arguments)
    except problems.StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def build(engine: building.Docker | building.Buildah, names: Sequence[str] = ()) -> None:
    """Build all images of a release, or those with these names. Raises a StackError."""
    wanted = [_named(name) for name in names] or building.IMAGES
    if isinstance(engine, building.Buildah):
        debian.ensure(engine)
    version = building.version()
    for image in wanted:
        engine.build(image, version)
        print(f"images: {image.name}:{version.tag}")


def _named(name: str) -> building.Image:
    images = {image.short: image for image in (*building.IMAGES, building.AGENT)}
    if name not in images:
        raise problems.StackError(f"images: there is no {name}: there are {', '.join(images)}")
    return images[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
