"""A working copy of the repository in a folder of its own, so that a test may add to it and throw it away.

It has what git tracks, or would, the stubs that are built, and a virtual environment that borrows the packages of this one.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Copy:
    """The folder, and programs that run in it."""

    root: Path

    @property
    def python(self) -> str:
        """Its interpreter, which finds the copy's own code and stubs."""
        return str(self.root / ".venv" / "bin" / "python")

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, code: int = 0, seconds: float = 300
    ) -> str:
        """What a program says. Fails when it does not end with this code."""
        ended = subprocess.run(  # noqa: S603 - programs of the repository
            command,
            cwd=self.root,
            env={**self.environment(), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert ended.returncode == code, f"{' '.join(command)}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def module(self, name: str, *arguments: str) -> str:
        """What `python -m` says."""
        return self.run(self.python, "-m", name, *arguments)

    def environment(self) -> dict[str, str]:
        """Nothing of the process that runs the tests but its path, its servers' addresses left out."""
        paths = os.pathsep.join([str(self.root), str(self.root / ".souk" / "gen")])
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return {**kept, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}


def copied(folder: Path) -> Copy:
    """A copy of the repository as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    shutil.copytree(ROOT / ".souk" / "gen", folder / ".souk" / "gen")
    if (ROOT / ".souk" / "cache").is_dir():
        (folder / ".souk" / "cache").symlink_to(ROOT / ".souk" / "cache")
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", folder / ".mypy_cache", ignore_dangling_symlinks=True)
    _borrow_packages(folder / ".venv")
    return Copy(folder)


def _borrow_packages(target: Path) -> None:
    venv.create(target, symlinks=True, with_pip=False)
    [packages] = target.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    for program in Path(sys.prefix, "bin").iterdir():
        if not (target / "bin" / program.name).exists():
            (target / "bin" / program.name).symlink_to(program)
