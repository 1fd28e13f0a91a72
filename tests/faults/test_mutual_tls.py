"""The whole stack with mutual TLS between its processes: a stack of its own, as `make run MESH_TLS=1` starts it."""

import os
import subprocess
import sys

from scripts.stack import layout, settings

STACK = "tls"
# Away from the ports of the other stacks that tests start.
PORTS = {"STACK_PORT_BASE": "29000"}


def local(*arguments: str) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.endswith(("_ADDR", "_URL", "_BOOTSTRAP"))}
    return subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "scripts.stack", "--stack", STACK, *arguments],
        cwd=layout.ROOT,
        env={**outside, **settings.FOR_A_TRY, **PORTS, "MESH_TLS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_order_is_delivered_where_every_process_speaks_mutual_tls() -> None:
    try:
        # It answers with an error unless the first order is delivered.
        done = local("run")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "status       DELIVERED" in done.stdout
        # What a service presents is its own certificate, and it asks for one.
        port = layout.saved(STACK).service_port(50054)
        greeted = subprocess.run(  # noqa: S603 - the port is ours
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2"],  # noqa: S607 - the machine's own
            capture_output=True,
            text=True,
            input="",
            check=False,
        )
        assert "subject=CN = order" in greeted.stdout
    finally:
        local("clean")
