"""What runs the node's containers: containerd with Debian's runc, in the node's network. Images come from buildah's store."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.cluster import layout, tools
from scripts.operate import storage
from scripts.release.build import building
from scripts.stack.supervise import component, fingerprints, problems, processes
from tests.deploy.node.host import archives, network

# The control group above all pods of the node, so that nothing of them is overlooked at the end.
GROUP = "souk-node"
PAUSE = "localhost/souk/pause:node"
# What of the machine's Debian the node is made with, by the program that is looked for.
PACKAGES = {"runc": "runc", "nft": "nftables", "ip": "iproute2", "nsenter": "util-linux"}
_CRI_IMAGES, _CRI_RUNTIME = "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"


def containerd(cluster: layout.Cluster) -> component.Component:
    """The runtime. Raises a StackError when it can't be built."""
    config = cluster.folder / "containerd.toml"
    storage.write(config, _configuration(cluster))
    programs = tools.path("containerd").parent
    command = (*network.INSIDE, str(programs / "containerd"), "--config", str(config))
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    return component.Component(
        name="containerd",
        program=processes.Program(command, environment, cluster.folder, umask=network.PUBLIC_UMASK),
        address=str(socket(cluster)),
        ports=(),
        variable="",
        healthy=lambda: _ctr(cluster, "version").returncode == 0,
        fingerprint=fingerprints.of(command, environment, [config]),
    )


def socket(cluster: layout.Cluster) -> Path:
    """Where it listens."""
    return cluster.folder / "containerd.sock"


def load(cluster: layout.Cluster, store: building.Buildah, images: Mapping[str, str]) -> None:
    """Give the node images of buildah's store: by the name that pods use, the name in the store. Raises a StackError."""
    folder = cluster.folder / "images"
    archives.write(folder, store, images)
    with subprocess.Popen(("tar", "-C", str(folder), "-c", "."), stdout=subprocess.PIPE) as archive:
        done = _ctr(cluster, "--namespace", "k8s.io", "images", "import", "-", archive=archive)
    if done.returncode:
        raise problems.StackError(f"the node does not take the images: {done.stderr.decode(errors='replace').strip()}")
    shutil.rmtree(folder)


def kill(cluster: layout.Cluster, container: str) -> None:
    """Kill a container's process, as nothing announces it. `container` is as the API names it. Raises a StackError."""
    identity = container.removeprefix("containerd://")
    done = _ctr(cluster, "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL", identity)
    if done.returncode:
        raise problems.StackError(f"{container} can't be killed: {done.stderr.decode(errors='replace').strip()}")


def make_groups() -> None:
    """Make the control group of the pods: one, or in the first version of control groups one for each controller."""
    for hierarchy in _hierarchies():
        group = hierarchy / GROUP
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (group / name).exists():
                (group / name).write_text((hierarchy / name).read_text())


def end(cluster: layout.Cluster) -> None:
    """Kill what still runs in the node's containers, and take away what they had mounted."""
    groups = [group for hierarchy in _hierarchies() for group in (hierarchy / GROUP).glob("**/cgroup.procs")]
    for group in groups:
        for pid in map(int, group.read_text().split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for group in sorted((group.parent for group in groups), reverse=True):
        with contextlib.suppress(OSError):
            # Not empty for the moment that its processes take to die; an empty group harms nobody.
            group.rmdir()
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for path in reversed([path for path in mounted if path.startswith(f"{cluster.folder}/")]):
        subprocess.run(("umount", "--lazy", path), capture_output=True, check=False)


def groups_can_be_made() -> bool:
    """Tell whether this machine lets us make control groups: inside a container it may not."""
    return all(os.access(hierarchy, os.W_OK) for hierarchy in _hierarchies())


def _hierarchies() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    return [root] if (root / "cgroup.controllers").exists() else [path for path in root.iterdir() if path.is_dir()]


def _ctr(
    cluster: layout.Cluster, *arguments: str, archive: "subprocess.Popen[bytes] | None" = None
) -> "subprocess.CompletedProcess[bytes]":
    command = (str(tools.path("ctr")), "--address", str(socket(cluster)), *arguments)
    given = archive.stdout if archive else subprocess.DEVNULL
    return subprocess.run(command, stdin=given, capture_output=True, check=False)


def _configuration(cluster: layout.Cluster) -> str:
    folder = cluster.folder / "containerd"
    return f"""version = 3
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
address = "{socket(cluster)}"
[plugins."{_CRI_IMAGES}"]
snapshotter = "overlayfs"
[plugins."{_CRI_IMAGES}".pinned_images]
sandbox = "{PAUSE}"
[plugins."{_CRI_RUNTIME}"]
disable_apparmor = true
netns_mounts_under_state_dir = true
# Of a machine whose root may not make itself less likely to be killed: nothing is lost by leaving it as it is.
restrict_oom_score_adj = true
[plugins."{_CRI_RUNTIME}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."{_CRI_RUNTIME}".cni]
bin_dirs = ["{tools.path("ptp").parent}"]
conf_dir = "{network.write_plugins(cluster)}"
"""
