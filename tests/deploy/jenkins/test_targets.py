"""The make targets that the pipeline calls: each exists, and each runs; those that need AWS print what they would do."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scripts.release import environments
from scripts.stack import layout
from tests.deploy.jenkins import agent, bare_clone, groovy, rules

JENKINSFILE = (layout.ROOT / "Jenkinsfile").read_text()
MAKEFILES = (layout.ROOT / "Makefile", *sorted((layout.ROOT / "scripts").rglob("*.mk")))
# What each prints in a dry run: programs and, behind them, words that matter.
PROGRAMS = {
    "tf-plan": ["terraform", "plan"],
    "tf-apply": ["terraform", "apply"],
    "values": ["terraform", "output -json"],
    "release-images": ["buildctl build", "platform=linux/amd64,linux/arm64", "target=services"],
    "scan": [
        "--override-arch arm64 copy --preserve-digests oci:",
        "trivy image",
        "--config scripts/release/trivy.yaml",
    ],
    "images-push": ["skopeo copy --all --preserve-digests oci:", "docker://REGISTRY/souk/services:"],
    "images-sign": [
        "cosign sign --yes --tlog-upload=false --recursive --key SIGNING_KEY",
        "cosign attest",
        "--type cyclonedx",
    ],
    "chart-package": ["helm package helm/souk --version "],
    "chart-push": ["helm push", "oci://REGISTRY/souk/charts", "cosign sign"],
    "canary": [],
    "deploy": [
        "cosign verify",
        "aws eks update-kubeconfig --name souk-{env}",
        "helm upgrade --install souk",
        "--atomic",
    ],
    "rollback": ["helm rollback souk 1 --namespace souk --wait"],
    "release-smoke": ["-m scripts.cluster smoke --release souk", "--edge-url https://"],
    "load-test": [],
    "budget": ["/api/v1/query"],
    "verified": ["verified in {env}"],
    "notify": ["souk"],
}


@pytest.fixture(scope="module")
def called() -> set[str]:
    """Every command of every build of the pipeline."""
    with groovy.running() as harness:
        pipeline = rules.Pipeline(JENKINSFILE, harness.evaluate)
        return {text for _, build in pipeline.everything() for text in build.texts}


def _programs(dry_run: str) -> set[str]:
    """The programs that a dry run would look for on the PATH."""
    return {program for program in re.findall(r"(?m)^\+ (\S+)", dry_run) if "/" not in program}


def targets() -> set[str]:
    """The targets that the Makefile and what it includes define."""
    lines = (line for file in MAKEFILES for line in file.read_text().splitlines())
    return {name for line in lines for name in re.findall(r"^([a-z][a-z-]*):(?!=)", line)}


def make(*words: str, folder: Path = layout.ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in ("REGISTRY", "SIGNING_KEY", "ENV")}
    command = ("make", *words)
    return subprocess.run(  # noqa: S603 - make
        command, cwd=folder, env={**known, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare_clone.made(tmp_path_factory.mktemp("agent"))


def test_every_target_that_is_called_sets_up_first_what_it_needs_in_a_bare_clone(called: set[str], clone: Path) -> None:
    for text in sorted(called):
        planned = make(*text.replace('"', "").split()[1:2], "--just-print", "ENV=dev", folder=clone)
        assert planned.returncode == 0, f"{text}: {planned.stderr}"
        assert "nothing is set up here yet" not in planned.stdout, text
        assert "-m scripts.stack.bootstrap" in planned.stdout.partition(".venv/bin/python -m")[0], text


@pytest.mark.parametrize("words", [("values", "ENV=dev"), ("tf-plan", "ENV=prod"), ("notify", "STATUS=SUCCESS")])
def test_a_first_call_in_a_bare_clone_does_what_it_is_for(words: tuple[str, ...], clone: Path) -> None:
    done = make(*words, DRY_RUN="1", folder=clone)
    assert done.returncode == 0, done.stderr
    for said in PROGRAMS[words[0]]:
        assert said in done.stdout


def test_every_target_that_is_called_exists(called: set[str]) -> None:
    assert {text.split()[1] for text in called} <= targets()


def test_every_target_that_is_called_is_one_of_these(called: set[str]) -> None:
    quick = {"version", "breaking", "migrations-check", "sbom", "release-clean"}
    # These are what CI runs, and what runs this.
    long = {"lint", "test", "test-unit", "test-cluster", "test-cloud", "clean"}
    assert {text.split()[1] for text in called} == quick | long | set(PROGRAMS)


@pytest.mark.parametrize("target", PROGRAMS)
def test_a_dry_run_prints_what_would_be_run_and_runs_nothing(target: str) -> None:
    """And what would be run is in the image of the agents."""
    done = make(target, "ENV=dev", "DRY_RUN=1", "STATUS=SUCCESS", PATH=f"{layout.ROOT / '.venv/bin'}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    for words in PROGRAMS[target]:
        assert words.format(env="dev") in done.stdout
    assert _programs(done.stdout) <= agent.programs()


def test_a_dry_run_of_a_canary_shows_every_step_and_the_way_back() -> None:
    done = make("canary", "ENV=prod", "DRY_RUN=1", PATH=f"{layout.ROOT / '.venv/bin'}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    shown = [
        "cosign verify",
        "helm uninstall souk-canary",
        "helm upgrade --install souk-canary",
        "helm test souk-canary",
        *(f"scripts.cluster share --release souk --namespace souk --to {step}\n# the calls of" for step in (5, 25, 50)),
    ]
    places = [done.stdout.index(words) for words in shown]
    assert places == sorted(places)
    assert _programs(done.stdout) <= agent.programs()


@pytest.mark.parametrize("target", ["version", "breaking", "migrations-check", "sbom", "release-clean"])
def test_what_needs_no_cloud_is_done(target: str) -> None:
    done = make(target)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["deploy", "ENV=moon"], "ENV=moon is none of dev, prod"),
        (["load-test", "ENV=dev", "LOAD_RATE=many"], "LOAD_RATE=many is no number"),
    ],
)
def test_a_mistake_is_answered_in_one_line(words: list[str], said: str) -> None:
    done = make(*words, DRY_RUN="1")
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_environments_are_those_that_the_pipeline_names(called: set[str]) -> None:
    named = {found for text in called for found in re.findall(r"ENV=(\w+)", text)}
    assert named == set(yaml.safe_load(environments.FILE.read_text()))


def test_what_agents_are_made_of_is_there(called: set[str]) -> None:
    del called
    for path in set(re.findall(r"'(k8s/jenkins/[\w.]+)'", JENKINSFILE)):
        pod = yaml.safe_load((layout.ROOT / path).read_text())
        assert pod["kind"] == "Pod"
        containers = {container["name"]: container for container in pod["spec"]["containers"]}
        assert "souk" in containers
        # The image is built for one processor: a node of another could not start it.
        assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        for container in containers.values():
            assert re.search(r"[:@][\w.-]+$", container["image"])
            assert not container["image"].endswith(":latest")
            assert not container.get("securityContext", {}).get("privileged", False)
            assert set(container["resources"]) == {"requests", "limits"}


def test_every_file_of_an_environment_is_there() -> None:
    for name in yaml.safe_load(environments.FILE.read_text()):
        for path in environments.read(name, {}).values:
            # The last is what `make values` writes.
            assert (layout.ROOT / path).exists() or path == f".souk/cloud/{name}/values.yaml"


def lines() -> Iterator[str]:
    yield from JENKINSFILE.splitlines()


def test_the_pipeline_names_no_account_and_no_address() -> None:
    assert not [line for line in lines() if re.search(r"\d{12}|https?://|amazonaws", line)]
