"""Builds the images of Souk, or only those that are named.

python -m scripts.images [NAME...]       VERSION=1.2.3 gives the tag (local without it)
python -m scripts.images packages        install Debian's packages that build images without an engine (as root)
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.images import building, debian
from scripts.local import layout, problems

STORE = layout.ROOT / ".souk" / "images"
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
    """Build all images, or those with these names. Raises a StackError."""
    if isinstance(engine, building.Buildah):
        debian.ensure(engine)
    version = building.version()
    for image in building.IMAGES:
        if not names or image.short in names:
            engine.build(image, version)
            print(f"images: {image.name}:{version.tag}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
