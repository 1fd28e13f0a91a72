"""Programs built from Go modules with the Go of the virtual environment.

A tool has a folder with its go.mod, which names the module and its version, and its go.sum: the hash of everything that goes
into it.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack.supervise import kept, problems

# Takes the folder of a module's source and the folder to fill.
Gather = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True)
class Tool:
    """What is taken from a module: programs, and with `gather` files of its source.

    `modules` is where the folders of go.mod and go.sum are; the tool's is called `folder`, or else as the tool. `stamps` are Go
    variables, in which `{version}` becomes the module's version. `experiment` is what GOEXPERIMENT is while it is built.
    `program` names the program of an only package where the last part of the package's path doesn't.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()
    stamps: Mapping[str, str] | None = None
    folder: str = ""
    experiment: str = ""
    gather: Gather | None = None
    program: str = ""
    minutes: float = 1
    modules: Path = field(kw_only=True)
    cache: kept.Cache = field(kw_only=True)

    @property
    def source(self) -> Path:
        """The folder with its go.mod and go.sum."""
        return self.modules / (self.folder or self.name)

    @property
    def version(self) -> str:
        """The version of its module that go.mod asks for."""
        asked = re.search(rf"(?m)^(?:require)?\s*{re.escape(self.module)} (v\S+)", (self.source / "go.mod").read_text())
        if asked is None:
            raise problems.StackError(f"{self.source}/go.mod does not ask for {self.module}")
        return asked[1]

    @property
    def programs(self) -> tuple[str, ...]:
        """What its programs are called."""
        return (self.program,) if self.program else tuple(package.rpartition("/")[2] for package in self.packages)

    @property
    def home(self) -> Path:
        """Where it is kept: another version, other hashes or other stamps make another folder."""
        files = b"".join((self.source / name).read_bytes() for name in ("go.mod", "go.sum"))
        how = repr((self.packages, sorted(self._stamps), *filter(None, [self.experiment])))
        wanted = hashlib.sha256(files + how.encode()).hexdigest()[:8]
        return self.cache.path / f"{self.name}-{self.version}-{wanted}"

    @property
    def flags(self) -> str:
        """What the linker is told: no debugging tables, and which version this is."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self._stamps)])

    @property
    def kept_folder(self) -> kept.Folder:
        """The folder of what is taken, for its cache to make."""
        doing = f"building {self.version} (about {self.minutes:g} min on two cores, once)"
        return kept.Folder(self.name, self.home, doing, self._fill)

    @property
    def _stamps(self) -> list[tuple[str, str]]:
        return [(name, value.format(version=self.version)) for name, value in (self.stamps or {}).items()]

    def _fill(self, into: Path, build: kept.Build) -> None:
        if self.packages:
            # One program is named; several, built together, name themselves.
            out = into / self.programs[0] if len(self.packages) == 1 else into
            arguments = ("build", "-trimpath", "-ldflags", self.flags, "-o", str(out), *self.packages)
            run(build, self.source, *arguments, GOEXPERIMENT=self.experiment)
        if self.gather is not None:
            downloaded = json.loads(run(build, self.source, "mod", "download", "-json", self.module))
            self.gather(Path(downloaded["Dir"]), into)


def run(build: kept.Build, folder: Path, *arguments: str, **variables: str) -> str:
    """Run Go in a folder, its caches in the build's: what it printed. Raises a StackError when it fails."""
    environment = {
        **os.environ,
        "GOCACHE": str(build.scratch / "compiled"),
        "GOMODCACHE": str(build.scratch / "modules"),
        # Go would protect the modules it downloads from being removed.
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        **variables,
    }
    return build.run([Path(sys.executable).with_name("go"), *arguments], folder=folder, environment=environment)
