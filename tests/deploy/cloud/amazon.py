"""AWS's interfaces on loopback (moto), as a server of its own: what Terraform's backend and boto3 talk to."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from tests.support import ports

START_S = 60.0
REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION}


@dataclass(frozen=True, slots=True)
class Amazon:
    """Where it answers."""

    url: str

    def client(self, service: str) -> Any:
        """boto3's client of a service."""
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **keys)


@contextmanager
def running() -> Iterator[Amazon]:
    """The server, as long as the block lasts."""
    port = ports.free()
    program = str(Path(sys.executable).with_name("moto_server"))
    environment = {**os.environ, **CREDENTIALS, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    command = [program, "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield Amazon(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(START_S)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "moto_server ended"
        try:
            httpx.get(f"{url}/moto-api/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("moto_server did not answer")
