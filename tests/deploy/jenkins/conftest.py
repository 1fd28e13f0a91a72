"""What tests of releases share."""

from pathlib import Path

import pytest

from tests.deploy.jenkins.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit and no release."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository.new(folder)
