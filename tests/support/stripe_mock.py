"""Stripe's own mock of its API, which checks each request against the published specification. It remembers nothing.

It is built once, by the Go that the test group brings, into the cache of the local stack.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import ports
from tests.support.simulators import ROOT

VERSION = "v0.203.0"
CACHE = ROOT / ".souk" / "cache" / f"stripe-mock-{VERSION}"
START_S = 20.0


@contextmanager
def running() -> Iterator[str]:
    """The mock, as long as the block lasts: its URL."""
    port = ports.free()
    command = [_built(), "-http-port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            said = ""
            while f":{port}" not in said:
                said = process.stdout.readline()
                assert said, "stripe-mock did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(START_S)


def _built() -> str:
    program = CACHE / "stripe-mock"
    if not program.exists():
        # The test group's own Go, beside the interpreter.
        go = str(Path(sys.executable).with_name("go"))
        # Made elsewhere and moved: another test run that builds at the same time does not see half of it.
        building = CACHE.with_name(f"{CACHE.name}.{os.getpid()}")
        module = f"github.com/stripe/stripe-mock@{VERSION}"
        subprocess.run([go, "install", module], env={**os.environ, "GOBIN": str(building)}, check=True)  # noqa: S603
        CACHE.mkdir(parents=True, exist_ok=True)
        (building / "stripe-mock").replace(program)
        building.rmdir()
    return str(program)
