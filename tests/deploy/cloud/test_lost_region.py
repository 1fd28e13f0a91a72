"""Copies in a second region, and the plan for when the first is lost, as far as it can be rehearsed without an account.

What runs is the page's own commands (docs/aws.md, a lost region): on a copy of terraform/ with the stand-in, and against moto.
"""

import json
import re
import shutil
import subprocess
from typing import Any

import boto3
import moto
import pytest

from scripts.cloud import takeover
from tests.deploy.cloud import hcl, workspace
from tests.deploy.cloud.test_switches import variant

FIRST, SECOND = "eu-central-1", "eu-west-1"
PAGE = (hcl.ROOT / "docs" / "aws.md").read_text()
BACKUP = "arn:aws:rds:eu-west-1:123456789012:auto-backup:ab-1a2b3c"
# What has one name in all regions.
GLOBAL = {"aws_iam_role": "name", "aws_iam_policy": "name", "aws_s3_bucket": "bucket"}


@pytest.fixture(scope="module")
def copied(copy: workspace.Workspace) -> workspace.Applied:
    """Production with copies, and what it has without them."""
    return variant(
        copy,
        "copied",
        (
            "var.second_region == null ? null : { region = var.second_region }",
            f'{{ region = "{SECOND}" }}',
        ),
    )


@pytest.fixture(scope="module")
def shared_copied(copy: workspace.Workspace) -> workspace.Applied:
    """What environments share, with copies."""
    folder = copy.folder / "terraform" / "shared-copied"
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*")
    shutil.copytree(copy.folder / "terraform" / "shared", folder, ignore=ignored)
    file = folder / "terraform.tfvars"
    file.write_text(f'{file.read_text()}\nsecond_region = "{SECOND}"\n')
    copy.prepare("shared-copied")
    return copy.applied("shared-copied")


def in_second(applied: workspace.Applied) -> list[dict[str, Any]]:
    """Whatever is made in the second region."""
    return [one for one in applied.resources if one["values"].get("region") == SECOND]


def test_without_the_variable_nothing_is_made_in_another_region(
    prod: workspace.Applied, dev: workspace.Applied, shared: workspace.Applied
) -> None:
    for applied in (prod, dev, shared):
        assert in_second(applied) == []
        for kind in ("aws_s3_bucket_replication_configuration", "aws_ecr_replication_configuration"):
            assert applied.of(kind) == []
        assert all(not secret["replica"] for secret in applied.of("aws_secretsmanager_secret"))
    # Terraform keeps no output that is null.
    assert "copies" not in prod.outputs


def test_every_servers_backups_are_copied_for_as_long_as_they_are_kept_and_encrypted_there(
    copied: workspace.Applied,
) -> None:
    servers = [one for one in copied.of("aws_db_instance") if not one["replicate_source_db"]]
    replications = copied.of("aws_db_instance_automated_backups_replication")
    assert {one["source_db_instance_arn"] for one in replications} == {server["arn"] for server in servers}
    (key,) = [one for one in copied.of("aws_kms_key") if one["region"] == SECOND]
    assert key["enable_key_rotation"]
    for one in replications:
        assert (one["region"], one["kms_key_id"]) == (SECOND, key["arn"])
        assert one["retention_period"] == servers[0]["backup_retention_period"]


def test_every_secret_has_a_copy_under_the_key_of_that_region(copied: workspace.Applied) -> None:
    (key,) = [one for one in copied.of("aws_kms_key") if one["region"] == SECOND]
    for secret in copied.of("aws_secretsmanager_secret"):
        assert [(one["region"], one["kms_key_id"]) for one in secret["replica"]] == [(SECOND, key["arn"])]


def test_images_of_products_are_copied_and_seen_when_the_first_bucket_does_not_answer(
    copied: workspace.Applied,
) -> None:
    first, second = sorted(copied.of("aws_s3_bucket"), key=lambda bucket: str(bucket["bucket"]))
    assert second["bucket"] == f"{first['bucket']}-copy" == copied.outputs["copies"]["images_bucket"]
    (replication,) = copied.of("aws_s3_bucket_replication_configuration")
    (rule,) = replication["rule"]
    assert (rule["status"], rule["filter"][0]["prefix"]) == ("Enabled", "images/")
    assert rule["destination"][0]["bucket"] == second["arn"]
    (distribution,) = copied.of("aws_cloudfront_distribution")
    (group,) = distribution["origin_group"]
    assert [member["origin_id"] for member in group["member"]] == ["bucket", "copy"]
    assert distribution["default_cache_behavior"][0]["target_origin_id"] == group["origin_id"]
    (policy,) = [one for one in copied.of("aws_s3_bucket_policy") if one["bucket"].endswith("-copy")]
    statements = {one["Sid"]: one for one in json.loads(policy["policy"])["Statement"]}
    assert statements["ShownByCloudFront"]["Resource"] == f"{second['arn']}/images/*"
    (blocked,) = [one for one in copied.of("aws_s3_bucket_public_access_block") if one["bucket"].endswith("-copy")]
    assert all(blocked[name] for name in ("block_public_acls", "block_public_policy", "restrict_public_buckets"))


def test_who_copies_may_read_images_and_write_the_copy_within_the_boundary(copied: workspace.Applied) -> None:
    (role,) = [one for one in copied.of("aws_iam_role") if one["name"].endswith("-images-copies")]
    (given,) = [one for one in copied.of("aws_iam_role_policy") if one["role"] == role["name"]]
    granted = {action for one in json.loads(given["policy"])["Statement"] for action in one["Action"]}
    (boundary,) = [one for one in copied.of("aws_iam_policy") if one["name"].endswith("-boundary")]
    allowed = {
        action
        for one in json.loads(boundary["policy"])["Statement"]
        if one["Effect"] == "Allow"
        for action in one["Action"]
    }
    assert role["permissions_boundary"] == boundary["arn"]
    assert granted <= allowed


def test_images_signatures_and_the_key_that_made_them_are_in_the_second_region_too(
    shared_copied: workspace.Applied,
) -> None:
    (replication,) = shared_copied.of("aws_ecr_replication_configuration")
    (rule,) = replication["replication_configuration"][0]["rule"]
    assert rule["destination"] == [{"region": SECOND, "registry_id": "123456789012"}]
    # Images, signatures beside them, and the chart: whatever begins so.
    assert {repository["name"].partition("/")[0] + "/" for repository in shared_copied.of("aws_ecr_repository")} == {
        one["filter"] for one in rule["repository_filter"]
    }
    (template,) = shared_copied.of("aws_ecr_repository_creation_template")
    assert (template["region"], template["prefix"], template["applied_for"]) == (SECOND, "souk", ["REPLICATION"])
    assert template["image_tag_mutability"] == "IMMUTABLE"
    (key,) = [one for one in shared_copied.of("aws_kms_key") if one["key_usage"] == "SIGN_VERIFY"]
    (replica,) = shared_copied.of("aws_kms_replica_key")
    assert key["multi_region"]
    assert (replica["region"], replica["primary_key_arn"]) == (SECOND, key["arn"])


# The rehearsal.


@pytest.fixture(scope="module")
def away(copy: workspace.Workspace, prod: workspace.Applied) -> workspace.Applied:
    """What takes production's place, made by the page's own commands."""
    assert prod.resources
    script = "\n".join([f'backup="{BACKUP}"', 'moment="2026-01-31T11:55:00Z"', *_of_page("cp -a", "sed -i")])
    # Its own names of modules are made below, and states stay with whom they belong to.
    prepared = f"{script}\nrm -rf terraform/envs/away/.terraform* terraform/envs/away/*.tfstate*"
    subprocess.run(["/bin/bash", "-euc", prepared], cwd=copy.folder, check=True)  # noqa: S603 - the page's own commands
    copy.prepare("envs/away")
    return copy.applied("envs/away")


def _of_page(*starts: str) -> list[str]:
    """The commands of the page's plan that begin so."""
    section = PAGE.partition("## A lost region")[2].partition("\n## ")[0]
    commands = re.findall(r"(?m)^ *\$ (.+(?:\n    .+)*)", section)
    return [command for command in commands if command.startswith(starts)]


def test_what_takes_its_place_begins_with_the_copied_backups_at_one_moment(away: workspace.Applied) -> None:
    servers = [one for one in away.of("aws_db_instance") if not one["replicate_source_db"]]
    assert servers
    for server in servers:
        (restored,) = server["restore_to_point_in_time"]
        assert restored["source_db_instance_automated_backups_arn"] == BACKUP
        assert restored["restore_time"] == "2026-01-31T11:55:00Z"
        # RDS takes the key of the back-ups: another in the configuration would replace the server.
        assert server["kms_key_id"] is None
        assert server["manage_master_user_password"]


def test_it_has_no_name_that_the_lost_one_still_has(away: workspace.Applied, prod: workspace.Applied) -> None:
    for kind, field in GLOBAL.items():
        old, new = ({one[field] for one in applied.of(kind)} for applied in (prod, away))
        assert new
        assert not old & new, kind
    (old_images,), (new_images,) = (applied.of("aws_cloudfront_distribution") for applied in (prod, away))
    assert not {*old_images["aliases"]} & {*new_images["aliases"]}
    # Customers find it where the shop always was.
    assert away.outputs["edge"]["hosts"] == prod.outputs["edge"]["hosts"]
    assert away.outputs["values"]["tokens"] == prod.outputs["values"]["tokens"]
    assert away.outputs["values"]["secrets"]["externalSecrets"]["path"] == "souk/away"


@pytest.fixture
def lost(prod: workspace.Applied, away: workspace.Applied, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Production's secrets, filled and copied to the second region; what takes its place has empty ones there."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        first, second = (boto3.client("secretsmanager", region_name=region) for region in (FIRST, SECOND))
        for secret in prod.of("aws_secretsmanager_secret"):
            first.create_secret(
                Name=secret["name"],
                SecretString=json.dumps({"of": secret["name"]}),
                AddReplicaRegions=[{"Region": SECOND}],
            )
        for secret in away.of("aws_secretsmanager_secret"):
            second.create_secret(Name=secret["name"])
        yield second


def test_secrets_that_no_job_can_make_anew_are_taken_over_once(lost: Any, away: workspace.Applied) -> None:
    filled = takeover.take_over(lost, "souk/prod", "souk/away")
    every = {secret["name"].removeprefix("souk/away/") for secret in away.of("aws_secretsmanager_secret")}
    of_servers = {name for name in every if name.endswith(("-database", "-migration"))} | {"redis"}
    assert set(filled) == every - of_servers
    assert {"signing", "mesh", "admin", "provider", "smtp"} <= set(filled)
    value = lost.get_secret_value(SecretId="souk/away/signing")["SecretString"]
    assert json.loads(value) == {"of": "souk/prod/signing"}
    lost.put_secret_value(SecretId="souk/away/provider", SecretString="{}")
    assert takeover.take_over(lost, "souk/prod", "souk/away") == []
    assert lost.get_secret_value(SecretId="souk/away/provider")["SecretString"] == "{}"


def test_a_secret_without_a_copy_is_told(lost: Any) -> None:
    lost.create_secret(Name="souk/away/forgotten")
    with pytest.raises(KeyError, match="souk/prod/forgotten has no copy here"):
        takeover.take_over(lost, "souk/prod", "souk/away")


def test_the_page_names_the_program_that_takes_secrets_over() -> None:
    (command,) = _of_page(".venv/bin/python -m scripts.cloud.takeover")
    assert command.split()[-3:] == ["souk/prod", "souk/away", SECOND]
