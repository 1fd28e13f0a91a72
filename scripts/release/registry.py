"""Signing in to ECR: a token that lives for hours, kept in a file that only this build can read and the clean-up removes."""

import base64
import json
import os
import re
import shutil
from pathlib import Path

import boto3
import botocore.exceptions

from scripts.release import shell
from scripts.stack.supervise import problems

CREDENTIALS = shell.FOLDER / "docker"
FILE = "config.json"
_ADDRESS = re.compile(r"[0-9]{12}\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def environment(root: Path) -> dict[str, str]:
    """What makes helm, cosign, skopeo and buildctl find the credentials."""
    return {"DOCKER_CONFIG": str(root / CREDENTIALS), "REGISTRY_AUTH_FILE": str(root / CREDENTIALS / FILE)}


def address(*, dry: bool) -> str:
    """The registry that REGISTRY names. Raises a StackError when it is not set, unless it is only talked about."""
    given = os.environ.get("REGISTRY", "").rstrip("/")
    if given or dry:
        return given or "REGISTRY"
    raise problems.StackError("REGISTRY is not set: <account>.dkr.ecr.<region>.amazonaws.com of the account's ECR")


def region(registry: str) -> str:
    """The AWS region that the address of an ECR registry names. Raises a StackError when it is no such address."""
    found = _ADDRESS.fullmatch(registry)
    if not found:
        raise problems.StackError(f"REGISTRY={registry} is no address of ECR: <account>.dkr.ecr.<region>.amazonaws.com")
    return found["region"]


def sign_in(run: shell.Shell, registry: str) -> None:
    """Get a token by the agent's own AWS role and keep it for the programs above; nothing is printed of it."""
    if run.dry:
        print(f"# boto3: ecr.get_authorization_token() into {CREDENTIALS / FILE}")
        return
    try:
        answer = boto3.client("ecr", region_name=region(registry)).get_authorization_token()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as refused:
        raise problems.StackError(f"ECR gives no token: {refused}") from None
    token = answer["authorizationData"][0]["authorizationToken"]
    base64.b64decode(token, validate=True)
    folder = run.root / CREDENTIALS
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / FILE).touch(mode=0o600)
    (folder / FILE).write_text(json.dumps({"auths": {registry: {"auth": token}}}))


def sign_out(root: Path) -> None:
    """Remove the token."""
    shutil.rmtree(root / CREDENTIALS, ignore_errors=True)
