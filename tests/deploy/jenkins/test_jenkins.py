"""Jenkins as code: what is installed, what is configured, and that the pipeline asks for nothing that is not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.release import jenkins, shell
from scripts.stack import layout
from tests.deploy.jenkins import groovy, rules

JENKINSFILE = (layout.ROOT / "Jenkinsfile").read_text()
CONFIGURED: dict[str, Any] = yaml.safe_load((jenkins.HERE / "casc.yaml").read_text())
NAMESPACES = list(yaml.safe_load_all((layout.ROOT / jenkins.NAMESPACES).read_text()))
# Plugins without which a Jenkinsfile is not even read, or that only the configuration uses.
BESIDE = {"configuration-as-code", "job-dsl", "oidc-provider", "basic-branch-build-strategies"}
NAMES = sorted(named.partition(":")[0] for named in jenkins.plugins())


@pytest.fixture(scope="module")
def harness() -> Iterator[groovy.Harness]:
    with groovy.running() as running:
        yield running


@pytest.mark.parametrize("named", jenkins.plugins())
def test_a_plugin_is_pinned_to_one_version(named: str) -> None:
    assert re.fullmatch(r"[a-z][a-z-]+:[0-9][\w.-]+", named)
    assert NAMES.count(named.partition(":")[0]) == 1


@pytest.mark.parametrize("plugin", sorted(set(NAMES) - BESIDE))
def test_without_a_plugin_the_pipeline_is_refused_by_the_plugins_name(harness: groovy.Harness, plugin: str) -> None:
    lacking = rules.Pipeline(JENKINSFILE, harness.evaluate, frozenset(NAMES) - {plugin})
    refusals = list(rules.jenkins_takes_it(lacking))
    assert refusals
    assert all("no listed plugin offers it" in refusal and plugin in refusal for refusal in refusals)


def test_a_step_that_no_plugin_offers_is_refused(harness: groovy.Harness) -> None:
    other = JENKINSFILE.replace("deleteDir()", "cleanWs()")
    assert list(rules.jenkins_takes_it(rules.Pipeline(other, harness.evaluate)))


def test_every_credential_and_every_lock_of_the_pipeline_is_configured() -> None:
    (domain,) = CONFIGURED["credentials"]["system"]["domainCredentials"]
    kinds = {item["id"]: kind for credential in domain["credentials"] for kind, item in credential.items()}
    asked = re.findall(r"(file|string)\(credentialsId: '([\w-]+)'", JENKINSFILE)
    offers = {"idTokenFile": "file", "string": "string"}
    assert {name: offers[kind] for name, kind in kinds.items()} == {name: kind for kind, name in asked}
    declared = CONFIGURED["unclassified"]["lockableResourcesManager"]["declaredResources"]
    assert {lock["name"] for lock in declared} == set(re.findall(r"lock\(resource: '([\w-]+)'", JENKINSFILE))


def test_every_build_is_told_the_accounts_and_what_the_environments_need() -> None:
    (properties,) = CONFIGURED["jenkins"]["globalNodeProperties"]
    told = {variable["key"]: variable["value"] for variable in properties["envVars"]["env"]}
    assert {f"AWS_ACCOUNT_{name}" for name in ("shared", "dev", "prod")} <= set(told)
    assert {"AWS_REGION", "REGISTRY", "SIGNING_KEY", "PAYMENT_METHOD_prod"} <= set(told)
    # Each is a fact of the installation; no account and no address stands in the repository.
    assert all(value == f"${{{name}}}" for name, value in told.items())


def test_tags_are_discovered_and_built() -> None:
    (job,) = CONFIGURED["jobs"]
    assert "gitTagDiscovery()" in job["script"]
    assert "buildTags {" in job["script"]
    assert "shallow" not in job["script"]


def test_no_secret_stands_in_the_configuration() -> None:
    (domain,) = CONFIGURED["credentials"]["system"]["domainCredentials"]
    secrets = [
        item["secret"] for credential in domain["credentials"] for item in credential.values() if "secret" in item
    ]
    assert secrets == ["${jenkins-secrets-notify_webhook}"]
    mounted = jenkins.values()["controller"]["additionalExistingSecrets"]
    assert {"name": "jenkins-secrets", "keyName": "notify_webhook"} in mounted


def test_agents_live_where_the_controller_makes_them_with_an_account_that_may_do_nothing() -> None:
    kinds = {(item["kind"], item["metadata"].get("namespace", "")): item for item in NAMESPACES}
    where = jenkins.values()["agent"]["namespace"]
    account = kinds["ServiceAccount", where]
    assert account["automountServiceAccountToken"] is False
    assert kinds["NetworkPolicy", where]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    pods = [
        yaml.safe_load((layout.ROOT / path).read_text())
        for path in set(re.findall(r"'(k8s/jenkins/[\w.]+)'", JENKINSFILE))
    ]
    assert {pod["spec"]["serviceAccountName"] for pod in pods} == {account["metadata"]["name"]}


def test_the_chart_is_given_plugins_and_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    jenkins.install(shell.Shell(dry=True, root=tmp_path))
    said = capsys.readouterr().out
    assert said.index("kubectl apply --filename k8s/jenkins/namespaces.yaml") < said.index(
        "helm upgrade --install jenkins"
    )
    assert re.search(r"--version \d+\.\d+\.\d+ --namespace jenkins --values .souk/release/jenkins.yaml --atomic", said)
    written = yaml.safe_load((tmp_path / jenkins.VALUES).read_text())["controller"]
    assert written["installPlugins"] == jenkins.plugins()
    assert yaml.safe_load(written["JCasC"]["configScripts"]["souk"]) == CONFIGURED
