"""What the image of the pipeline's agents holds, read from what it is built from."""

import re
from pathlib import Path

from scripts.release import tools
from scripts.release.build import building
from scripts.stack import layout

DOCKERFILE = (layout.ROOT / building.AGENT.dockerfile).read_text()
# The packages of Debian that it installs, and the program that each is there for.
PACKAGES = {"awscli": "aws", "ca-certificates": "", "git": "git", "make": "make", "skopeo": "skopeo"}


def packages() -> set[str]:
    """The packages of Debian that the Dockerfile names."""
    named = re.search(r"--no-install-recommends ([\w -]+) ", DOCKERFILE)
    assert named
    return set(named[1].split())


def programs() -> set[str]:
    """The programs beside Python's that a command finds in it."""
    built = {program for tool in tools.TOOLS for program in tool.programs}
    copied = {Path(source).name for source in re.findall(r"COPY --from=trivy (\S+)", DOCKERFILE)}
    return built | copied | {PACKAGES[package] for package in packages()} - {""}
