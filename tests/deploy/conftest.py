"""What several kinds of tests of the deployment need: the images, and the story that a cluster's tests tell at their end."""

import os
import shutil
from pathlib import Path

import pytest

from scripts.release.build import __main__ as images
from scripts.release.build import building
from tests.deploy.cluster import story as stories

STORE = Path.home() / ".cache" / "souk" / "images"
_STORY = pytest.StashKey[stories.Story]()


def pytest_configure(config: pytest.Config) -> None:
    """The run has a story from its beginning."""
    config.stash[_STORY] = stories.Story()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell it."""
    told = config.stash[_STORY]
    if told.lines:
        terminalreporter.section("what happened on the cluster")
        terminalreporter.write_line(told.text())


@pytest.fixture(scope="session")
def story(request: pytest.FixtureRequest) -> stories.Story:
    """What is told at the end."""
    return request.config.stash[_STORY]


@pytest.fixture(scope="session")
def buildah() -> building.Buildah:
    """The builder with all images in its store. Layers are kept from run to run, so only what changed is built anew."""
    if os.geteuid() != 0:
        pytest.skip("building images without an engine takes root")
    if not (shutil.which("buildah") and shutil.which("mmdebstrap")):
        assert images.main(["packages"]) == 0
    builder = building.Buildah(STORE)
    images.build(builder)
    return builder
