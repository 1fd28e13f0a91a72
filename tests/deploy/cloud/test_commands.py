"""The commands: what they would run, and the chart's values and the job that come of what was applied."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.cloud import __main__ as cloud
from scripts.cloud import manifests, steps, values
from services import registry
from tests.deploy.cloud import hcl, workspace

CHART = hcl.ROOT / "helm" / "souk"


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command, environment = ["make", *arguments], {**os.environ, "DRY_RUN": "1"}
    return subprocess.run(command, cwd=hcl.ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def outputs(applied: workspace.Applied) -> str:
    return json.dumps(applied.values["outputs"])


@pytest.mark.parametrize("environment", ["shared", "dev", "prod"])
def test_plan_and_apply_say_what_they_would_run(environment: str) -> None:
    planned, applied = _make("tf-plan", f"ENV={environment}"), _make("tf-apply", f"ENV={environment}")
    assert (planned.returncode, applied.returncode) == (0, 0)
    folder = "terraform/shared" if environment == "shared" else f"terraform/envs/{environment}"
    assert f"+ terraform -chdir={folder} plan -input=false -out=.souk/cloud/{environment}/plan" in planned.stdout
    assert f"+ terraform -chdir={folder} apply -input=false .souk/cloud/{environment}/plan" in applied.stdout


@pytest.mark.parametrize("target", ["tf-plan", "tf-apply", "tf-destroy", "tf-unguard", "values"])
def test_an_environment_that_is_not_there_is_refused_in_one_line(target: str) -> None:
    done = _make(target, "ENV=production")
    assert done.returncode != 0
    assert "cloud: ENV=production: there are shared, dev, prod" in done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("plan", "terraform/backend.hcl is not there: `make tf-bootstrap` writes it"),
        ("values", "terraform/backend.hcl is not there"),
        ("plan", "terraform/envs/dev/terraform.tfvars is not there: copy"),
        ("destroy", "terraform/envs/dev/terraform.tfvars is not there: copy"),
    ],
)
def test_what_an_account_has_to_commit_is_missed_in_one_sentence_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, said: str
) -> None:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    if not said.startswith("terraform/backend.hcl"):
        (tmp_path / "terraform").mkdir()
        (tmp_path / "terraform" / "backend.hcl").write_text("")
    assert cloud.main([command, "dev"]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert "+ terraform" not in told.out


@pytest.mark.parametrize("root", ["shared", "envs/dev", "envs/prod", "bootstrap"])
def test_git_takes_what_the_pipeline_needs_of_an_account_and_keeps_no_state(root: str) -> None:
    folder = f"terraform/{root}"

    def ignored(path: str) -> bool:
        command = ("git", "check-ignore", "--quiet", "--no-index", path)
        return subprocess.run(command, cwd=hcl.ROOT, check=False).returncode == 0  # noqa: S603 - git

    assert not any(ignored(f"{folder}/{name}") for name in ("terraform.tfvars", ".terraform.lock.hcl"))
    assert not ignored("terraform/backend.hcl")
    assert all(ignored(f"{folder}/{name}") for name in ("terraform.tfstate", ".terraform/modules", "x.tfplan"))


@pytest.mark.parametrize("target", ["tf-bootstrap", "tf-unguard", "tf-destroy", "values", "credentials"])
def test_every_other_command_says_what_it_would_run(target: str) -> None:
    done = _make(target, "ENV=prod", "VERSION=1.2.3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("+ terraform -chdir=terraform/")


def test_the_values_name_what_was_made(prod: workspace.Applied) -> None:
    written = yaml.safe_load(values.render(outputs(prod)))
    assert written["imageRegistry"] == "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    assert written["kafka"]["saslMechanism"] == "AWS_MSK_IAM"
    assert written["secrets"]["externalSecrets"]["path"] == "souk/prod"
    assert written["edge"]["ingress"]["hosts"] == ["api.souk.example"]


def test_the_store_of_secrets_is_in_the_region_of_the_environment(prod: workspace.Applied) -> None:
    store = yaml.safe_load(values.secret_store(outputs(prod)))
    assert store["spec"]["provider"]["aws"]["region"] == prod.outputs["cluster"]["region"]
    assert store["kind"] == "ClusterSecretStore"


def test_the_chart_knows_every_value_that_is_written(prod: workspace.Applied, dev: workspace.Applied) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    production = yaml.safe_load((CHART / "values-aws.yaml").read_text())
    for applied in (prod, dev):
        written = yaml.safe_load(values.render(outputs(applied)))
        jsonschema.validate(over(over(defaults, production), written), schema)


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Values over values, as Helm puts them."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = over(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def test_the_chart_calls_service_accounts_and_secrets_as_terraform_does(prod: workspace.Applied) -> None:
    names = {secret["name"].removeprefix("souk/prod/") for secret in prod.of("aws_secretsmanager_secret")}
    template = (CHART / "templates" / "_secrets.tpl").read_text()
    for name in ("mesh", "redis", "admin"):
        assert f"{{name: {name}," in template
        assert name in names
    document = yaml.safe_load((CHART / "values.yaml").read_text())
    for system, needs in document["outside"].items():
        wanted = {secret["name"] for secret in needs.get("secrets", [])}
        known = {outside for service in registry.load().services.values() for outside in service.outside}
        assert wanted <= names or system not in known


def test_the_job_runs_with_its_role_and_the_least_of_rights(prod: workspace.Applied) -> None:
    account, settings, job, schedule = yaml.safe_load_all(manifests.render(outputs(prod), "1.2.3"))
    assert account["metadata"]["name"] in {
        one["service_account"] for one in prod.of("aws_eks_pod_identity_association")
    }
    told = json.loads(settings["data"]["settings.json"])
    stored = {name for name, service in registry.load().services.items() if "postgres" in service.stores}
    assert set(told["databases"]) == stored
    assert not re.search(r"password|token", settings["data"]["settings.json"])
    for spec in (job["spec"], schedule["spec"]["jobTemplate"]["spec"]):
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["serviceAccountName"] == account["metadata"]["name"]
        assert container["image"].endswith("/souk/tools:1.2.3")
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
