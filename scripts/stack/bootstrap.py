"""Makes `.venv` with everything in requirements.lock, every package checked against its hash.

    python3 -m scripts.stack.bootstrap

It runs on a bare Python, so it imports nothing else. The packages are installed by uv (itself a pinned package), which
takes seconds where pip takes a minute; where uv can't work, by pip. What is already installed is left alone, so this runs
before every other target of the Makefile.
"""

import hashlib
import os
import subprocess
import sys
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.stack.supervise import problems, sizes

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
UV = Path(__file__).with_name("uv.lock")
STAMP = VENV / ".installed"
# The packages unpack to about a gigabyte; the rest is for the stack's first data.
SPACE_NEEDED = int(1.5 * sizes.GIB)
OLDEST = (3, 11)
PIP = (str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input")
SHOWN = ("Downloading", "Prepared", "Installed", "Building", "Collecting", "Successfully")
# What an installer says, and what that means to the person before it.
MEANINGS = (
    (("No space left on device", "os error 28"), "the disk is full: free some space and run again"),
    (
        (
            "name resolution",
            "dns error",
            "Failed to establish a new connection",
            "NewConnectionError",
            "error sending request",
            "Connection refused",
            "timed out",
            "Could not connect",
            "Network is unreachable",
        ),
        "the package registry does not answer: check the network (and a proxy, if there is one) and run again",
    ),
    (
        (
            "No matching distribution found for",
            "has no wheels with a matching",
            "no wheels with a matching",
            "no source distribution",
        ),
        "a package has no build for this machine ({machine}); Linux on x86-64 with glibc is what Souk runs on",
    ),
    (
        (
            "command 'gcc' failed",
            "command 'cc' failed",
            "unable to execute 'gcc'",
            "linker `cc` not found",
            "gcc: not found",
        ),
        "a package must be compiled and there is no compiler: install one (Debian: apt install build-essential)",
    ),
    (
        ("MATCH THE HASHES", "Hash mismatch", "hash mismatch"),
        "a package is not the one that requirements.lock names: nothing of it was installed",
    ),
)


def main() -> int:
    """Install what is missing. Answers with a process exit code; a problem is one line on stderr."""
    try:
        install()
    except problems.StackError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    return 0


def install() -> None:
    """Make the virtual environment and install the lock file, unless that was done. Raises a StackError."""
    if sys.version_info < OLDEST:
        raise problems.StackError(f"Python {sys.version.split()[0]} is too old: Souk needs 3.11 or newer")
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    started = time.monotonic()
    problems.require_space(ROOT, SPACE_NEEDED if not STAMP.exists() else SPACE_NEEDED // 3)
    _make_venv()
    _say(started, "installing the packages of requirements.lock (about 300 MiB to download the first time)")
    _install_packages(started)
    STAMP.write_text(wanted)
    _say(started, "virtual environment ready")


def explain(output: str) -> str:
    """One line for what an installer's output says went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for signs, meaning in MEANINGS:
        telling = [line for line in lines if any(sign in line for sign in signs)]
        if telling:
            return f"{meaning.format(machine=_machine())} ({_shortened(telling[-1])})"
    return _shortened(lines[-1]) if lines else "the installer ended without a word"


def _make_venv() -> None:
    if PYTHON.exists() and _runs((str(PYTHON), "-m", "pip", "--version"), os.environ)[0] == 0:
        return
    try:
        venv.EnvBuilder(with_pip=True, clear=True).create(VENV)
    except (subprocess.CalledProcessError, ImportError, OSError) as error:
        raise problems.StackError(
            f"the virtual environment can't be made ({type(error).__name__}): "
            "install Python's venv module (Debian: apt install python3-venv) and run again"
        ) from error


def _install_packages(started: float) -> None:
    code, _ = _runs((*PIP, "install", "--quiet", "--require-hashes", "-r", str(UV)), os.environ)
    if code == 0:
        uv = (str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), "--require-hashes", "-r", str(LOCK))
        code, output = _runs(uv, _uv_environment(os.environ), show=True)
        if code == 0:
            return
        _say(started, f"uv could not: {explain(output)}; trying pip")
    code, output = _runs((*PIP, "install", "--require-hashes", "-r", str(LOCK)), os.environ, show=True)
    if code:
        raise problems.StackError(explain(output))


def _uv_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, with pip's index for uv too (uv does not read pip's settings) and a cache in `.souk`."""
    chosen = {"UV_CACHE_DIR": str(ROOT / ".souk" / "cache" / "uv"), "UV_PYTHON_DOWNLOADS": "never", **environment}
    index = _runs((*PIP, "config", "get", "global.index-url"), environment)
    if index[0] == 0 and index[1].strip():
        chosen.setdefault("UV_DEFAULT_INDEX", index[1].strip().splitlines()[-1])
    return chosen


def _runs(command: Sequence[str], environment: Mapping[str, str], *, show: bool = False) -> tuple[int, str]:
    """Run a command; its exit code and what it said, which the person sees as it comes if `show`."""
    with subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        said = []
        for line in process.stdout or ():
            said.append(line)
            if show and line.startswith(SHOWN):
                print(f"        {line.rstrip()[:110]}", flush=True)
    return process.returncode, "".join(said)


def _machine() -> str:
    system = os.uname()
    return f"{system.sysname} {system.machine}, Python {sys.version_info.major}.{sys.version_info.minor}"


def _shortened(line: str) -> str:
    return line if len(line) <= 200 else f"{line[:197]}..."


def _say(started: float, text: str) -> None:
    print(f"{time.monotonic() - started:6.1f}s  {'setup':<14}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
