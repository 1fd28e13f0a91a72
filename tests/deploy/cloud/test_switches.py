"""The other ways to build it: each switch, planned and applied with the stand-in, and what it changes."""

import json
from typing import Any

import pytest

from services import registry
from tests.deploy.cloud import workspace

STORED = {name for name, service in registry.load().services.items() if "postgres" in service.stores}


def _variant(copy: workspace.Workspace, name: str, *changes: tuple[str, str]) -> workspace.Applied:
    """Production, differently: another root with some text replaced."""
    folder = copy.folder / "terraform" / "envs" / name
    folder.mkdir()
    for path in (copy.folder / "terraform" / "envs" / "prod").glob("*.tf*"):
        if path.suffix in {".tf", ".tfvars"}:
            text = path.read_text()
            for good, other in changes:
                assert good in text or path.name != "main.tf", f"production has no {good!r} any more"
                text = text.replace(good, other)
            (folder / path.name).write_text(text)
    copy.prepare(f"envs/{name}")
    return copy.applied(f"envs/{name}")


@pytest.fixture(scope="module")
def scram(copy: workspace.Workspace) -> workspace.Applied:
    """Users and passwords at the brokers, Pod Identity, search."""
    return _variant(
        copy,
        "scram",
        ("  kafka = {\n", '  search = { services = ["catalog"] }\n\n  kafka = {\n    authentication = "scram"\n'),
        ("  cluster = {\n", '  cluster = {\n    identities = "pod-identity"\n'),
    )


@pytest.fixture(scope="module")
def serverless(copy: workspace.Workspace) -> workspace.Applied:
    """No brokers to choose, metrics in the cluster, no Jenkins, no endpoints."""
    return _variant(
        copy,
        "serverless",
        ("  kafka = {\n", '  kafka = {\n    mode = "serverless"\n'),
        ("  observability = {\n", '  observability = {\n    mode = "in-cluster"\n'),
        ("  network = {\n", "  network = {\n    interface_endpoints = []\n"),
        ("  ci = var.jenkins == null ? null : {", "  ci = var.jenkins != null ? null : {"),
    )


def test_with_scram_each_service_has_a_user_that_msk_may_read(scram: workspace.Applied) -> None:
    (brokers,) = scram.of("aws_msk_cluster")
    assert brokers["client_authentication"][0]["sasl"] == [{"iam": False, "scram": True}]
    users = {
        secret["name"] for secret in scram.of("aws_secretsmanager_secret") if secret["name"].startswith("AmazonMSK_")
    }
    assert users == {f"AmazonMSK_souk-prod-{name}" for name in (*registry.load().services, "topics")}
    (association,) = scram.of("aws_msk_scram_secret_association")
    assert len(association["secret_arn_list"]) == len(users)
    ports = {
        rule["from_port"] for rule in scram.of("aws_vpc_security_group_ingress_rule") if "kafka" in rule["tags"]["Name"]
    }
    assert ports == {9096, 11001, 11002}


def test_with_scram_what_no_acl_is_about_is_everybodys_until_it_is_said_otherwise(
    scram: workspace.Applied, copy: workspace.Workspace
) -> None:
    (first,) = scram.of("aws_msk_configuration")
    assert "allow.everyone.if.no.acl.found=true" in first["server_properties"]
    ready = ("  kafka = {\n", '  kafka = {\n    authentication = "scram"\n    deny_by_default = true\n')
    (second,) = _variant(copy, "denying", ready).of("aws_msk_configuration")
    assert "allow.everyone.if.no.acl.found=false" in second["server_properties"]


def test_with_scram_the_chart_finds_each_users_secret_and_external_secrets_may_read_it(
    scram: workspace.Applied,
) -> None:
    keys = scram.outputs["values"]["secrets"]["externalSecrets"]["keys"]
    assert keys == {f"{name}-kafka": f"AmazonMSK_souk-prod-{name}" for name in (*registry.load().services, "topics")}
    (reader,) = [
        json.loads(policy["policy"])
        for policy in scram.of("aws_iam_role_policy")
        if "external-secrets" in policy["role"]
    ]
    read = next(statement for statement in reader["Statement"] if statement["Sid"] == "Read")
    arns = {secret["arn"] for secret in scram.of("aws_secretsmanager_secret") if secret["name"] in keys.values()}
    assert len(arns) == len(keys)
    assert arns <= set(read["Resource"])


def test_with_scram_the_rights_are_acls_of_the_registry(scram: workspace.Applied) -> None:
    acls = scram.outputs["kafka_acls"]
    written = {acl["resource"] for acl in acls if acl["principal"] == "User:order" and "Write" in acl["operations"]}
    read = {acl["resource"] for acl in acls if acl["principal"] == "User:order" and "Read" in acl["operations"]}
    declared = registry.load().services["order"]
    assert written == {f"Topic:{topic}" for topic in (*declared.publishes, "dead-letter")}
    assert read == {*(f"Topic:{topic}" for topic in declared.consumes), "Group:order"}


def test_with_scram_no_password_is_in_the_state(scram: workspace.Applied) -> None:
    versions = scram.of("aws_secretsmanager_secret_version")
    assert len(versions) == len(registry.load().services) + 1
    assert all(version["secret_string"] is None and version["secret_string_wo"] is None for version in versions)
    assert "random-password" not in json.dumps(versions)


def test_with_pod_identity_eks_knows_which_account_has_which_role(scram: workspace.Applied) -> None:
    found = {entry["service_account"]: entry["role_arn"] for entry in scram.of("aws_eks_pod_identity_association")}
    for service in registry.load().services:
        assert found[f"souk-{service}"].endswith(f":role/souk-prod-{service}")
    role = next(role for role in scram.of("aws_iam_role") if role["name"] == "souk-prod-order")
    (statement,) = json.loads(role["assume_role_policy"])["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}


def test_search_is_for_the_services_that_use_it(scram: workspace.Applied) -> None:
    (domain,) = scram.of("aws_opensearch_domain")
    (statement,) = json.loads(domain["access_policies"])["Statement"]
    allowed = {arn.rsplit("/", 1)[1] for arn in statement["Principal"]["AWS"]}
    assert allowed == {"souk-prod-catalog", "souk-prod-search-administration"}
    assert domain["encrypt_at_rest"][0]["enabled"]
    assert domain["node_to_node_encryption"][0]["enabled"]


def test_serverless_has_no_brokers_and_iam_alone(serverless: workspace.Applied) -> None:
    assert not serverless.of("aws_msk_cluster")
    assert not serverless.of("aws_appautoscaling_policy")
    assert serverless.outputs["values"]["kafka"]["saslMechanism"] == "AWS_MSK_IAM"
    policy = next(
        found
        for found in serverless.of("aws_iam_role_policy")
        if found["role"] == "souk-prod-order" and found["name"] == "kafka"
    )
    assert ":topic/souk-prod/0a1b2c3d-s1/orders" in policy["policy"]
    assert not [alarm for alarm in serverless.of("aws_cloudwatch_metric_alarm") if alarm["namespace"] == "AWS/Kafka"]


def test_metrics_in_the_cluster_need_no_managed_prometheus(serverless: workspace.Applied) -> None:
    kinds: set[Any] = {found["type"] for found in serverless.resources}
    assert kinds & {"aws_prometheus_workspace", "aws_grafana_workspace"} == set()
    assert serverless.outputs["observability"]["prometheus"] is None


def test_without_jenkins_there_is_none_of_its_roles(serverless: workspace.Applied) -> None:
    assert not [role for role in serverless.of("aws_iam_role") if "jenkins" in role["name"]]
    assert serverless.outputs["jenkins_role_arns"] == {}


def test_endpoints_can_be_left_to_nat_but_s3_never(serverless: workspace.Applied) -> None:
    assert [endpoint["vpc_endpoint_type"] for endpoint in serverless.of("aws_vpc_endpoint")] == ["Gateway"]


# What is refused before anything is planned: the switch, and the words that say why.
REFUSED = [
    ('mode = "serverless"\n    authentication = "scram"', "MSK Serverless knows IAM alone"),
    ('mode = "both"', "The mode is provisioned or serverless"),
    ("storage_most_gib = 1\n    storage_gib = 2\n", "At least what it starts with"),
]


@pytest.mark.parametrize(("switch", "said"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_makes_no_sense_is_refused_with_its_reason(copy: workspace.Workspace, switch: str, said: str) -> None:
    name = f"refused-{REFUSED.index((switch, said))}"
    kafka = (copy.folder / "terraform/envs/prod/main.tf").read_text().split("  kafka = {\n")[1].split("  }\n")[0]
    with pytest.raises(workspace.TerraformError) as refusal:
        _variant(copy, name, (kafka, f"    {switch}\n"))
    assert said in " ".join(str(refusal.value).replace("│", " ").split())
