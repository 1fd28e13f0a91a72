"""The images, built once for all tests here. Layers are kept from run to run, so only what changed is built anew."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.images import __main__ as images
from scripts.images import building
from scripts.local import layout
from tests.deploy.images import container

STORE = Path.home() / ".cache" / "souk" / "images"
FIGURES = layout.ROOT / ".souk" / "bench" / "images.json"


@pytest.fixture(scope="session")
def buildah() -> building.Buildah:
    """The builder with all images in its store."""
    if os.geteuid() != 0:
        pytest.skip("building images without an engine takes root")
    if not (shutil.which("buildah") and shutil.which("mmdebstrap")):
        assert images.main(["packages"]) == 0
    builder = building.Buildah(STORE)
    images.build(builder)
    return builder


@pytest.fixture(scope="session")
def services(buildah: building.Buildah) -> Iterator[container.Image]:
    with container.opened(buildah, "souk/services:local") as image:
        yield image


@pytest.fixture(scope="session")
def edge(buildah: building.Buildah) -> Iterator[container.Image]:
    with container.opened(buildah, "souk/edge:local") as image:
        yield image


@pytest.fixture(scope="session")
def tools(buildah: building.Buildah) -> Iterator[container.Image]:
    with container.opened(buildah, "souk/tools:local") as image:
        yield image


@pytest.fixture(scope="session")
def simulators(buildah: building.Buildah) -> Iterator[container.Image]:
    with container.opened(buildah, "souk/simulators:local") as image:
        yield image


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, dict[str, float]]]:
    """What is measured of the images, by name; kept beside the figures of the bench."""
    measured: dict[str, dict[str, float]] = {}
    yield measured
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(measured, indent=2) + "\n")
