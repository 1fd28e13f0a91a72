"""Each image with its files at hand, and what is measured of it."""

import json
from collections.abc import Iterator

import pytest

from scripts.release.build import building
from scripts.stack import layout
from tests.deploy.images import container

FIGURES = layout.ROOT / ".souk" / "bench" / "images.json"


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
