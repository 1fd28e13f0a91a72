"""The image of the agents: no less and no more than the pipeline runs, in the versions that belong together."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from scripts.cloud import testing
from scripts.release import jenkins, tools
from scripts.release.build import building
from scripts.stack import layout
from scripts.stack.supervise import go
from tests.deploy.jenkins import agent, test_targets

PODS = [
    document["spec"]
    for path in sorted((layout.ROOT / "k8s" / "jenkins").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document["kind"] == "Pod"
]


def _tool(name: str) -> go.Tool:
    return next(tool for tool in tools.TOOLS if tool.name == name)


def _containers(name: str) -> list[dict[str, Any]]:
    return [container for pod in PODS for container in pod["containers"] if container["name"] == name]


def test_nothing_is_in_it_that_the_pipeline_does_not_run() -> None:
    run = {words.split()[0] for told in test_targets.PROGRAMS.values() for words in told}
    # A release asks git for its version; everything is called by make.
    assert agent.programs() <= run | {"git", "make"}
    assert agent.packages() == set(agent.PACKAGES)


def test_every_pod_has_this_image_and_runs_it_as_its_user() -> None:
    user = re.findall(r"(?m)^USER (.+)$", agent.DOCKERFILE)
    assert user == ["1000:1000"]
    for pod, container in zip(PODS, _containers("souk"), strict=True):
        assert container["image"] == f"{building.AGENT.name}:1"
        says = {**pod["securityContext"], **container["securityContext"]}
        assert f"{says['runAsUser']}:{says['runAsGroup']}" == user[0]


def test_buildctl_is_of_the_version_of_the_buildkit_that_it_talks_to() -> None:
    images = [container["image"] for container in _containers("buildkitd")]
    assert images == [f"moby/buildkit:{_tool('buildctl').version}-rootless"]


def test_terraform_is_new_enough_for_every_module() -> None:
    asked = [
        found
        for path in (layout.ROOT / "terraform").rglob("versions.tf")
        for found in re.findall(r'required_version = ">= ([\d.]+)"', path.read_text())
    ]
    assert asked
    assert _numbers(_tool("terraform").version.removeprefix("v")) >= max(map(_numbers, asked))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_every_program_is_built_from_modules_with_hashes() -> None:
    assert {path.name for path in tools.MODULES.iterdir()} < {tool.source.name for tool in tools.TOOLS}
    for tool in tools.TOOLS:
        assert f"{tool.module} {tool.version} h1:" in (tool.source / "go.sum").read_text()


def test_what_the_tests_build_for_themselves_is_brought_along_and_never_written_to() -> None:
    stage = agent.DOCKERFILE.partition("AS agent")[2]
    (folder,) = re.findall(r"(?m)^COPY --from=tools (\S+) \1$", stage)
    assert f"ENV SOUK_TOOLS={folder}" in stage
    made = {folder.name for _, folder in testing.folders()}
    assert {"kubernetes", "kubelet", "tflint", "checkov", "stand-in"} <= made
    # A volume that builds share would let a branch leave a program for a release to run.
    volumes = [volume for pod in PODS for volume in pod.get("volumes", ())]
    assert all(set(volume) == {"name", "emptyDir"} for volume in volumes)


def test_the_plugin_that_says_who_a_build_is_lets_no_build_change_that() -> None:
    (named,) = [plugin for plugin in jenkins.plugins() if plugin.startswith("oidc-provider:")]
    # Up to 96 claims were not validated enough.
    assert int(re.findall(r":(\d+)\.", named)[0]) >= 111


def test_the_build_has_every_file_that_it_reads(tmp_path: Path) -> None:
    copied = r"(?m)^COPY ((?:scripts|tests)\S*(?: scripts\S*)*) (\S+)$"
    for sources, into in re.findall(copied, agent.DOCKERFILE):
        for source in sources.split():
            target = tmp_path / into / Path(source).name if into.endswith("/") else tmp_path / into
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(layout.ROOT / source)
    listed = (
        "from scripts.cloud import testing; from scripts.release import tools;"
        "print(*(tool.home for tool in tools.TOOLS), testing.folders())"
    )
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", listed], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
