"""`make env-up`: a dry run shows every call and makes none; what stopped goes on where it stopped."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.cloud import __main__ as cloud
from scripts.cloud import commands, controllers, steps, up
from scripts.release import environments
from tests.deploy.cloud import hcl

WISH = up.Wish("dev", "1.2.3", "ann@souk.example")
ARGUMENTS = ["up", "dev", "1.2.3", "ann@souk.example"]
# A program that stands in for those of AWS: it notes how it was called, answers JSON, and fails where BROKEN says so.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in *"$BROKEN"*) [ -n "$BROKEN" ] && exit 3;; esac
echo '{"password": "secret-of-ann"}'
"""
PROGRAMS = ("terraform", "aws", "kubectl", "helm", "curl", "make", "git", "xargs")


def stages() -> list[up.Stage]:
    return up.stages(WISH, environments.read("dev", {}))


def test_a_dry_run_shows_every_call_of_every_stage_in_order_and_makes_none() -> None:
    environment = {**os.environ, "DRY_RUN": "1", "PATH": f"{Path('/usr/bin')}:/bin"}
    command = ("make", "env-up", "ENV=dev", "VERSION=1.2.3", "ADMIN_EMAIL=ann@souk.example")
    done = subprocess.run(command, cwd=hcl.ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(?m)^= (.+)$", done.stdout) == [stage.name for stage in stages()]
    expected = [f"+ {step}" for stage in stages() for step in stage.steps()]
    assert re.findall(r"(?m)^\+ .+$", done.stdout) == expected
    for release in controllers.releases():
        assert f"helm upgrade --install {release.name} {release.chart} " in done.stdout
    assert not (hcl.ROOT / ".souk/cloud/dev/up.json").exists()


def test_only_systems_that_are_reached_with_a_secret_are_asked_for_one() -> None:
    asked = re.findall(
        r"--secret-id souk/dev/([\w-]+)", "\n".join(str(step) for each in stages() for step in each.steps())
    )
    assert {"provider", "carrier", "smtp"} <= set(asked)
    assert not {"opensearch", "s3", "sns"} & set(asked), (
        "a role says who may use these, and Terraform makes no secret for them"
    )


@pytest.mark.parametrize("left_out", ["ENV", "VERSION", "ADMIN_EMAIL"])
def test_what_was_not_said_is_missed_in_one_line(capsys: pytest.CaptureFixture[str], left_out: str) -> None:
    given = {"ENV": "dev", "VERSION": "1.2.3", "ADMIN_EMAIL": "ann@souk.example", left_out: ""}
    assert cloud.main(["up", *given.values()]) == 1
    assert f"cloud: not set: {left_out}=..." in capsys.readouterr().err


class Account:
    """A folder in which the programs of AWS, Kubernetes and Terraform are stand-ins."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls, self._monkeypatch = folder / "calls", monkeypatch
        self.root = folder / "root"
        (folder / "bin").mkdir()
        self.root.mkdir()
        for name in PROGRAMS:
            program = folder / "bin" / name
            program.write_text(STAND_IN)
            program.chmod(0o755)
        python = self.root / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(STAND_IN.replace("$*", "$* ADMIN_PASSWORD=$ADMIN_PASSWORD"))
        python.chmod(0o755)
        for needed in ("terraform/shared", "terraform/envs/dev"):
            (self.root / needed).mkdir(parents=True)
            (self.root / needed / "terraform.tfvars").touch()
        (self.root / commands.BACKEND).touch()
        monkeypatch.setattr(steps, "ROOT", self.root)
        monkeypatch.setattr(commands, "_values", _nothing)
        monkeypatch.setattr(commands, "_secret_store", _nothing)
        monkeypatch.setattr(commands, "_prometheus", _nothing)
        monkeypatch.setattr("scripts.cloud.manifests.render", lambda *_: "")
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setenv("CALLS", str(self._calls))
        monkeypatch.setenv("KUBECONFIG", "of-somebody-else")

    def run(self, *, broken: str = "", arguments: list[str] = ARGUMENTS) -> tuple[int, list[str]]:
        """The exit code, and the calls that were made."""
        self._calls.write_text("")
        self._monkeypatch.setenv("BROKEN", broken)
        code = cloud.main(arguments)
        return code, self._calls.read_text().splitlines()

    @property
    def done(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.root / ".souk/cloud/dev/up.json").read_text())
        return found


def _nothing(_: str) -> str:
    """nothing"""
    return ""


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(tmp_path, monkeypatch)


def test_what_stopped_goes_on_with_the_stage_that_failed(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = account.run(broken="helm upgrade --install keda")
    assert code == 1
    said = capsys.readouterr().err
    assert "cloud: controllers: `helm upgrade --install keda" in said
    assert "the same command goes on from this stage" in said
    assert set(account.done) == {"state", "shared", "images", "environment", "values", "access"}
    code, calls = account.run()
    assert code == 0
    # Within the stage everything is asked for again, which changes nothing that is there.
    assert calls[0].startswith("terraform -chdir=terraform/envs/dev init")
    assert not any("apply -input=false" in call for call in calls)
    assert calls[-1].startswith("python -m scripts.cluster smoke")
    assert set(account.done) == {stage.name for stage in stages()}
    assert account.run() == (0, [])


def test_another_version_brings_images_and_shop_and_leaves_the_account(account: Account) -> None:
    assert account.run()[0] == 0
    code, calls = account.run(arguments=["up", "dev", "1.3.0", "ann@souk.example"])
    assert code == 0
    assert not any(" apply -input=false" in call for call in calls)
    assert any("souk-1.3.0.tgz" in call for call in calls)
    assert account.done["shop"] == "1.3.0"
    assert account.done["environment"] == "1.2.3"


def test_the_administrators_password_is_on_no_command_line(account: Account) -> None:
    _, calls = account.run()
    (goods,) = [call for call in calls if "scripts.sample_data" in call]
    command, password = goods.split(" ADMIN_PASSWORD=")
    assert password == "secret-of-ann"
    assert "secret-of-ann" not in command


def test_every_stage_speaks_to_the_cluster_of_its_environment(account: Account) -> None:
    account.run()
    assert os.environ["KUBECONFIG"] == str(account.root / ".souk/cloud/dev/kubeconfig")
