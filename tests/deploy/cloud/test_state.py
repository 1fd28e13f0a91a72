"""The state in S3, for real: Terraform's own backend against S3 on loopback, with its lock beside the state."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.cloud import tools
from tests.deploy.cloud import amazon, hcl, workspace
from tests.support import polling

BUCKET = "souk-terraform-123456789012-eu-central-1"
# Something to keep, and something that holds the lock until it is let go of.
_MADE = 'resource "terraform_data" "kept" {\n  input = "%s"\n}\n'
_HELD = """
resource "terraform_data" "held" {
  provisioner "local-exec" {
    command = "touch begun; while [ ! -e go ]; do sleep 0.1; done"
  }
}
"""


@pytest.fixture
def bucket(aws: amazon.Amazon) -> Any:
    """The bucket that the bootstrap makes, empty and with versions."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": amazon.REGION})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield s3
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    for marker in s3.list_object_versions(Bucket=BUCKET).get("DeleteMarkers", []):
        s3.delete_object(Bucket=BUCKET, Key=marker["Key"], VersionId=marker["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


class Somebody:
    """Somebody with a copy of the project, who uses the backend that production declares."""

    def __init__(self, folder: Path, aws: amazon.Amazon) -> None:
        self.folder = folder
        folder.mkdir()
        block = re.search(r'  backend "s3" \{[^}]*\}', (hcl.TERRAFORM / "envs/prod/versions.tf").read_text())
        assert block is not None
        (folder / "versions.tf").write_text(f"terraform {{\n{block[0]}\n}}\n")
        self.settings = {
            "bucket": BUCKET,
            "region": amazon.REGION,
            "endpoints": f'{{s3="{aws.url}", iam="{aws.url}", sts="{aws.url}"}}',
            "key": "souk/prod.tfstate",
            "use_path_style": "true",
            "skip_credentials_validation": "true",
            "skip_requesting_account_id": "true",
        }
        self.run("init", "-input=false", *(f"-backend-config={key}={value}" for key, value in self.settings.items()))

    def writes(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def run(self, *arguments: str) -> str:
        environment = {**os.environ, **amazon.CREDENTIALS, "TF_CLI_ARGS": "-no-color", "TF_IN_AUTOMATION": "1"}
        command = [tools.terraform(), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise workspace.TerraformError(done.stderr)
        return done.stdout

    def applies(self) -> str:
        return self.run("apply", "-auto-approve", "-input=false")


def _keys(s3: Any) -> set[str]:
    return {found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_what_one_applies_another_finds_in_the_bucket_encrypted(
    bucket: Any, aws: amazon.Amazon, tmp_path: Path
) -> None:
    one = Somebody(tmp_path / "one", aws)
    one.writes("main.tf", _MADE % "a")
    one.applies()
    assert _keys(bucket) == {"souk/prod.tfstate"}
    assert bucket.head_object(Bucket=BUCKET, Key="souk/prod.tfstate")["ServerSideEncryption"] == "AES256"
    another = Somebody(tmp_path / "another", aws)
    another.writes("main.tf", _MADE % "a")
    assert "No changes." in another.run("plan", "-input=false")


async def test_a_second_apply_is_refused_while_the_first_is_under_way(
    bucket: Any, aws: amazon.Amazon, tmp_path: Path
) -> None:
    one, another = Somebody(tmp_path / "one", aws), Somebody(tmp_path / "another", aws)
    one.writes("main.tf", _HELD)
    another.writes("main.tf", _MADE % "b")

    async def begun() -> bool:
        return (one.folder / "begun").exists()

    under_way = asyncio.create_task(asyncio.to_thread(one.applies))
    try:
        await polling.eventually(begun, within_s=60)
        assert "souk/prod.tfstate.tflock" in _keys(bucket)
        with pytest.raises(workspace.TerraformError, match="Error acquiring the state lock"):
            another.applies()
    finally:
        one.writes("go", "")
        await under_way
    assert "souk/prod.tfstate.tflock" not in _keys(bucket)
    assert "Apply complete" in another.applies()


def test_an_older_state_can_be_read_again(bucket: Any, aws: amazon.Amazon, tmp_path: Path) -> None:
    one = Somebody(tmp_path / "one", aws)
    for content in ("first", "second"):
        one.writes("main.tf", _MADE % content)
        one.applies()
    versions = bucket.list_object_versions(Bucket=BUCKET, Prefix="souk/prod.tfstate")["Versions"]
    states = [
        bucket.get_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        for version in versions
        if version["Key"] == "souk/prod.tfstate"
    ]
    oldest = min(states, key=lambda state: json.loads(state)["serial"])
    assert b"first" in oldest
    assert b"second" not in oldest
