"""The programs of the simulated cluster, built from Go modules once for each machine and kept by version.

Each folder of `go/` names one module and, in its go.sum, the hash of everything that goes into it. What comes out is kept
under `~/.cache/souk/cluster` (or XDG_CACHE_HOME): programs, kwok's stages and the JSON schemas of Kubernetes. What Go
downloads and compiles on the way, some 7 GB, is removed at the end.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.cluster import schemas
from scripts.local import problems, progress, sizes

MODULES = Path(__file__).with_name("go")
SPACE_NEEDED = 8 * sizes.GIB
KUBERNETES = "k8s.io/kubernetes"
_KUBERNETES_MINOR = 36
_COMPONENT = "k8s.io/component-base/version"
_CHARTS = "helm.sh/helm/v3/pkg/chartutil"

# Servers that describe themselves in OpenAPI do so by code that knows the first version of encoding/json. With the second, which
# Go takes by itself from 1.27 on, metrics-server writes a document that the API server can't merge with its own: kubectl and
# helm then say "the server is currently unable to handle the request" where they should name a kind that is not there.
_FIRST_JSON = "nojsonv2"
_KUBERNETES_STAMPS = {
    f"{_COMPONENT}.gitVersion": "{version}",
    f"{_COMPONENT}.gitMajor": "1",
    f"{_COMPONENT}.gitMinor": str(_KUBERNETES_MINOR),
}
_CONTAINERD = "github.com/containerd/containerd/v2"
_CNI = "github.com/containernetworking/plugins"

# Takes the folder of a module's source and the folder to fill.
Gather = Callable[[Path, Path], None]


def _no_files(_source: Path, _into: Path) -> None:
    """A tool that is its programs alone."""


def _stages(source: Path, into: Path) -> None:
    shutil.copytree(source / "kustomize", into / "kustomize", copy_function=shutil.copyfile)


def _schemas(source: Path, into: Path) -> None:
    schemas.write(source / "api" / "openapi-spec" / "swagger.json", into)


@dataclass(frozen=True, slots=True)
class Tool:
    """What is taken from a module. `stamps` are Go variables; `{version}` in them becomes the module's version.

    `experiment` is what Go's GOEXPERIMENT is while it is built.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()
    stamps: Mapping[str, str] | None = None
    folder: str = ""
    experiment: str = ""
    gather: Gather = _no_files
    minutes: float = 1

    @property
    def source(self) -> Path:
        """The folder with its go.mod and go.sum."""
        return MODULES / (self.folder or self.name)

    @property
    def version(self) -> str:
        """The version of its module that go.mod asks for."""
        asked = re.search(rf"(?m)^(?:require)?\s*{re.escape(self.module)} (v\S+)", (self.source / "go.mod").read_text())
        if asked is None:
            raise problems.StackError(f"{self.source}/go.mod does not ask for {self.module}")
        return asked[1]

    @property
    def home(self) -> Path:
        """Where it is kept: another version, other hashes or other stamps make another folder."""
        files = b"".join((self.source / name).read_bytes() for name in ("go.mod", "go.sum"))
        how = repr((self.packages, sorted(self._stamps), *filter(None, [self.experiment])))
        wanted = hashlib.sha256(files + how.encode()).hexdigest()[:8]
        return cache() / f"{self.name}-{self.version}-{wanted}"

    @property
    def flags(self) -> str:
        """What the linker is told: no debugging tables, and which version this is."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self._stamps)])

    @property
    def _stamps(self) -> list[tuple[str, str]]:
        return [(name, value.format(version=self.version)) for name, value in (self.stamps or {}).items()]


# In the order in which they are built: what is quick and what others wait for comes first.
TOOLS = (
    Tool("kubeconform", "github.com/yannh/kubeconform", ("github.com/yannh/kubeconform/cmd/kubeconform",), minutes=0.2),
    Tool("schemas", KUBERNETES, folder="kubernetes", gather=_schemas, minutes=0.5),
    Tool(
        "helm",
        "helm.sh/helm/v3",
        ("helm.sh/helm/v3/cmd/helm",),
        {
            "helm.sh/helm/v3/internal/version.version": "{version}",
            f"{_CHARTS}.k8sVersionMajor": "1",
            f"{_CHARTS}.k8sVersionMinor": str(_KUBERNETES_MINOR),
        },
        minutes=2,
    ),
    Tool("etcd", "go.etcd.io/etcd/server/v3", ("go.etcd.io/etcd/server/v3",)),
    Tool(
        "kubernetes",
        KUBERNETES,
        tuple(
            f"{KUBERNETES}/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
        ),
        _KUBERNETES_STAMPS,
        experiment=_FIRST_JSON,
        minutes=6.5,
    ),
    Tool("kwok", "sigs.k8s.io/kwok", ("sigs.k8s.io/kwok/cmd/kwok",), gather=_stages, minutes=1.2),
    Tool(
        "metrics-server",
        "sigs.k8s.io/metrics-server",
        ("sigs.k8s.io/metrics-server/cmd/metrics-server",),
        experiment=_FIRST_JSON,
        minutes=2.5,
    ),
)
# What the real node needs besides (scripts/cluster/node).
NODE_TOOLS = (
    Tool(
        "kubelet",
        KUBERNETES,
        (f"{KUBERNETES}/cmd/kubelet", f"{KUBERNETES}/cmd/kube-proxy"),
        _KUBERNETES_STAMPS,
        minutes=4,
    ),
    Tool(
        "containerd",
        _CONTAINERD,
        tuple(f"{_CONTAINERD}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")),
        minutes=2,
    ),
    Tool("cni", _CNI, tuple(f"{_CNI}/plugins/{name}" for name in ("main/ptp", "main/loopback", "ipam/host-local")), minutes=0.3),
    Tool("coredns", "github.com/coredns/coredns", ("github.com/coredns/coredns",), minutes=2),
)
# A program that is not called as the last part of its package.
_PROGRAMS = {"go.etcd.io/etcd/server/v3": "etcd"}


def path(name: str, report: progress.Progress | None = None) -> Path:
    """A program (`helm`, `kubectl`, `kube-apiserver`...), or the folder `schemas` or `stages`; built if it is not there yet.

    Raises a StackError when it can't be built, KeyError when no tool has it.
    """
    if name == "stages":
        return ready("kwok", report) / "kustomize"
    if name == "schemas":
        return ready("schemas", report)
    return ready(_homes()[name], report) / name


def ready(tool: str, report: progress.Progress | None = None) -> Path:
    """The folder of a tool, built if it is not there yet."""
    found = named(tool)
    if not found.home.is_dir():
        build((found,), report or progress.Progress(sys.stderr))
    return found.home


def named(name: str) -> Tool:
    """A tool by its name. Raises a StackError when there is none."""
    for tool in (*TOOLS, *NODE_TOOLS):
        if tool.name == name:
            return tool
    raise problems.StackError(f"there is no tool {name}: there are {', '.join(tool.name for tool in TOOLS)}")


def build(wanted: Sequence[Tool], report: progress.Progress) -> None:
    """Build those of the tools that are not there yet. Raises a StackError when one can't be built."""
    with _alone(report):
        missing = [tool for tool in wanted if not tool.home.is_dir()]
        if not missing:
            return
        problems.require_space(cache(), SPACE_NEEDED)
        for tool in missing:
            report.say(tool.name, f"building {tool.version} (about {tool.minutes:g} min on two cores, once)")
            _build(tool)
            report.say(tool.name, f"built: {tool.home}")
        # Go protects the modules it downloads from being written to, and so from being removed.
        _go(missing[0], "clean", "-modcache")
        shutil.rmtree(_scratch())


def cache() -> Path:
    """Where tools are kept on this machine."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "souk" / "cluster"


def _build(tool: Tool) -> None:
    # Made elsewhere and moved, so that whoever looks meanwhile sees all of it or nothing.
    building = _scratch() / tool.home.name
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    if tool.packages:
        # One program is named; several, built together, name themselves.
        out = building / _program(tool.packages[0]) if len(tool.packages) == 1 else building
        _go(tool, "build", "-trimpath", "-ldflags", tool.flags, "-o", str(out), *tool.packages)
    if tool.gather is not _no_files:
        downloaded = json.loads(_go(tool, "mod", "download", "-json", tool.module))
        tool.gather(Path(downloaded["Dir"]), building)
    building.rename(tool.home)


def _go(tool: Tool, *arguments: str) -> str:
    """Run the Go of the virtual environment in a tool's folder: what it printed. Raises a StackError when it fails."""
    environment = {
        **os.environ,
        "GOCACHE": str(_scratch() / "compiled"),
        "GOMODCACHE": str(_scratch() / "modules"),
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOEXPERIMENT": tool.experiment,
    }
    go = str(Path(sys.executable).with_name("go"))
    done = subprocess.run(
        [go, *arguments], cwd=tool.source, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        raise problems.StackError(f"{tool.name}: `go {' '.join(arguments)}` failed: {' / '.join(words[-3:])}")
    return done.stdout


@contextlib.contextmanager
def _alone(report: progress.Progress) -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "building.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.say("tools", "another command is building them: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _scratch() -> Path:
    return cache() / "building"


def _program(package: str) -> str:
    return _PROGRAMS.get(package) or package.rpartition("/")[2]


def _homes() -> dict[str, str]:
    return {_program(package): tool.name for tool in (*TOOLS, *NODE_TOOLS) for package in tool.packages}
