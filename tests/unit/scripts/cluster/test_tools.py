"""Which tools there are, from which modules, and where they are kept."""

import dataclasses
from pathlib import Path

import pytest

from scripts.cluster import tools
from scripts.stack.supervise import problems


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "souk" / "cluster"


def test_every_module_has_its_tool_and_hashes_for_all_it_is_made_of() -> None:
    folders = {path.name for path in tools.MODULES.iterdir()}
    assert {tool.source.name for tool in tools.EVERY} == folders
    for tool in tools.EVERY:
        hashes = (tool.source / "go.sum").read_text()
        assert f"{tool.module} {tool.version} h1:" in hashes, tool.name


def test_the_version_that_is_stamped_is_that_of_the_module() -> None:
    kubernetes = tools.named("kubernetes")
    minor = kubernetes.version.split(".")[1]
    assert f"gitVersion={kubernetes.version}" in kubernetes.flags
    assert f"gitMinor={minor}" in kubernetes.flags
    assert f"k8sVersionMinor={minor}" in tools.named("helm").flags


def test_a_tool_is_kept_by_its_version_and_by_what_it_is_made_of(moved: Path, tmp_path: Path) -> None:
    helm = tools.named("helm")
    assert helm.home.parent == moved
    assert helm.home.name.startswith(f"helm-{helm.version}-")
    assert dataclasses.replace(helm, stamps={"a.b": "c"}).home != helm.home

    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "go.mod").write_text((helm.source / "go.mod").read_text())
    (changed / "go.sum").write_text("other hashes")
    assert dataclasses.replace(helm, folder=str(changed)).home.name != helm.home.name


def test_what_is_there_is_not_built_again(moved: Path) -> None:
    home = tools.named("helm").home
    home.mkdir(parents=True)
    assert tools.path("helm") == home / "helm"
    assert home.is_relative_to(moved)


def test_a_tool_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(problems.StackError, match="no tool helmet: there are kubeconform, schemas, helm"):
        tools.named("helmet")
