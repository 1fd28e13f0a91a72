"""`python -m services` as a process of its own, for tests of what only a whole process shows: signals, ports, files.

with programs.running(["user", "--role", "serve"], environment) as program:
    await polling.eventually(...)
    program.send_signal(signal.SIGTERM)
"""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """The program with this environment and nothing of the stack's; killed at the block's end if it still runs."""
    own = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONUNBUFFERED": "1", **environment}
    command = [sys.executable, "-m", "services", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own
        command, cwd=ROOT, env={**own, "PYTHONPATH": _paths()}, stdout=stdout, stderr=stderr
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until_alive(address: str, process: "subprocess.Popen[bytes]", *, within_s: float) -> None:
    """Wait until an edge says that it lives. Raises AssertionError when it ends before, or takes longer."""
    until = time.monotonic() + within_s
    while status(address, "/livez") != 200:
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.02)


def status(address: str, path: str) -> int:
    """The status of the answer to a GET; 0 when nobody answers."""
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def signing_keys(folder: Path) -> str:
    """A folder with a key that signs access tokens."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "test.pem").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return str(folder)


def _paths() -> str:
    return os.pathsep.join([str(ROOT), str(ROOT / ".souk" / "gen")])
