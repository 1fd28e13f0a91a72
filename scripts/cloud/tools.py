"""What Terraform's sources are checked with: each made once for a machine from hashed packages, and kept by what it is made from.

They are kept under `~/.cache/souk/cloud` (or XDG_CACHE_HOME). Terraform itself is expected on the PATH.

    python -m scripts.cloud.tools     makes what is missing
"""

import hashlib
import shutil
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from scripts.stack.supervise import go, kept, problems, progress, sizes

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent
STAND_IN = ROOT / "tests" / "deploy" / "cloud" / "provider"
CACHE = kept.Cache("cloud", space=3 * sizes.GIB)
TFLINT = go.Tool(
    "tflint",
    "github.com/terraform-linters/tflint",
    ("github.com/terraform-linters/tflint",),
    modules=HERE / "go",
    cache=CACHE,
)
_PIP = ("-m", "pip", "--disable-pip-version-check", "-q")


def terraform() -> str:
    """The program. Raises a StackError when there is none."""
    found = shutil.which("terraform")
    if found is None:
        raise problems.StackError("there is no terraform on the PATH: install 1.11 or newer")
    return found


def tflint(report: progress.Progress | None = None) -> Path:
    """The linter, built from its module."""
    return _made(TFLINT.kept_folder, report) / "tflint"


def stand_in(report: progress.Progress | None = None) -> Path:
    """The folder with the stand-in for the AWS provider, named as Terraform looks for it."""
    return _made(_stand_in(), report)


def wheel(report: progress.Progress | None = None) -> Path:
    """The wheel with the AWS provider's schema; nothing of it is installed."""
    return next(_made(_schema(), report).glob("*.whl"))


def checkov(report: progress.Progress | None = None) -> Path:
    """The Python of a virtual environment that has the policy checker: run it with `-m checkov.main`."""
    return _made(_checkov(), report) / "bin" / "python"


def folders() -> list[kept.Folder]:
    """Everything that is made."""
    return [TFLINT.kept_folder, _stand_in(), _schema(), _checkov()]


def all_of_them(report: progress.Progress) -> None:
    """Make what is missing. Raises a StackError when one can't be made."""
    terraform()
    for folder in folders():
        _made(folder, report)


def _stand_in() -> kept.Folder:
    home = _home("stand-in", sorted(STAND_IN.iterdir()))
    return kept.Folder("stand-in", home, "building the AWS provider's (about 1 min)", _build_stand_in)


def _schema() -> kept.Folder:
    home = _home("provider-schema", [HERE / "provider.lock"])
    return kept.Folder("provider-schema", home, "downloading the AWS provider's (60 MB)", _download_schema)


def _checkov() -> kept.Folder:
    home = _home("checkov", [HERE / "checkov.lock"])
    return kept.Folder("checkov", home, "installing (about 1 min)", _install_checkov)


def _home(name: str, sources: Sequence[Path]) -> Path:
    made_from = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    return CACHE.path / f"{name}-{made_from}"


def _made(folder: kept.Folder, report: progress.Progress | None) -> Path:
    CACHE.make([folder], report or progress.Progress(sys.stderr))
    return folder.home


def _build_stand_in(into: Path, build: kept.Build) -> None:
    go.run(build, STAND_IN, "build", "-trimpath", "-o", str(into / "terraform-provider-aws"), ".")


def _download_schema(into: Path, build: kept.Build) -> None:
    asked = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", HERE / "provider.lock")
    build.run([sys.executable, *_PIP, "download", "-d", into, *asked])


def _install_checkov(into: Path, build: kept.Build) -> None:
    venv.create(into, symlinks=True, with_pip=True)
    build.run([into / "bin" / "python", *_PIP, "install", "--require-hashes", "-r", HERE / "checkov.lock"])


if __name__ == "__main__":
    try:
        all_of_them(progress.Progress(sys.stderr))
    except problems.StackError as problem:
        sys.exit(f"tools: {problem}")
