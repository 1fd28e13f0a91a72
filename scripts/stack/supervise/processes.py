"""One detached process: start it, remember it, find it again, stop it.

A process is started through a shell that exits at once, so it belongs to nobody's terminal and outlives `make run`. Its
record names the pid *and* when that pid was born: a pid that was given to another program since is not taken for it.
"""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.operate import storage

# Every process of a stack carries this variable, so that one whose record was lost can still be found.
MARK = "SOUK_PROCESS"
LOG_LIMIT = 64 * 1024 * 1024
_WORDS = ("Error", "ERROR", "FATAL", "Exception", "fatal", "error:", "critical")
_LAUNCH = '"$@" >&2 </dev/null & echo $!'


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: the command, its environment and folder, and under which user when that is not the caller's.

    `stop_by` asks it to end in good order. `umask` keeps what it writes from everybody else.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    user: str | None = None
    stop_by: signal.Signals = signal.SIGTERM
    umask: int = storage.PRIVATE_UMASK


@dataclass(frozen=True, slots=True)
class Record:
    """A process that was started: enough to find it, to tell whether it is still that one, and to read its log."""

    name: str
    pid: int
    born: str
    address: str
    command: tuple[str, ...]
    fingerprint: str
    log: str
    log_offset: int
    stop_by: int = signal.SIGTERM

    def alive(self) -> bool:
        """Tell whether this very process still runs (a zombie, or another one with its pid, does not count)."""
        return birth(self.pid) == self.born


@dataclass(frozen=True, slots=True)
class Processes:
    """The records and logs of one stack's processes, under its folder."""

    folder: Path

    def log(self, name: str) -> Path:
        """Where the process called `name` logs."""
        return self.folder / "logs" / f"{name}.log"

    def find(self, name: str) -> Record | None:
        """The record of a process, running or not; None when it was never started or was stopped in order."""
        try:
            fields = json.loads(self._record(name).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return Record(**{**fields, "command": tuple(fields["command"])})

    def running(self, name: str) -> Record | None:
        """The record of a process that is alive, else None."""
        record = self.find(name)
        return record if record and record.alive() else None

    def names(self) -> tuple[str, ...]:
        """The processes that have a record."""
        return tuple(sorted(path.stem for path in (self.folder / "run").glob("*.json")))

    def forget(self, name: str) -> None:
        """Drop a record."""
        self._record(name).unlink(missing_ok=True)

    def start(self, name: str, program: Program, *, address: str, fingerprint: str) -> Record:
        """Start a process in a session of its own, its output appended to its log, and write its record."""
        log = self.log(name)
        offset = _rotated(log)
        pid = _launch(program, {MARK: f"{self.folder}:{name}"}, log)
        record = Record(
            name, pid, birth(pid) or "", address, program.command, fingerprint, str(log), offset, program.stop_by
        )
        storage.write(self._record(name), json.dumps(dataclasses.asdict(record), indent=1))
        return record

    def leftovers(self) -> Mapping[str, Sequence[int]]:
        """Processes of this stack that no record speaks of, by name: their record was lost, or their parent died."""
        found: dict[str, list[int]] = {}
        known = {record.pid for name in self.names() if (record := self.running(name))}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                name = self._marked(process)
                if name and process.pid not in known and not known & {p.pid for p in process.parents()}:
                    found.setdefault(name, []).append(process.pid)
        return found

    def _marked(self, process: psutil.Process) -> str:
        marked, _, name = process.environ().get(MARK, "").rpartition(":")
        if marked == str(self.folder):
            return name
        # Who writes process titles over its environment is known by its data folder, in which it works and which is called as it.
        name = process.name()
        return name if name and process.cwd() == str(self.folder / name) else ""

    def _record(self, name: str) -> Path:
        return self.folder / "run" / f"{name}.json"


def birth(pid: int) -> str | None:
    """When the process with this pid was born, as a text that no other process shares; None if there is none."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return _kernel_birth(pid) or f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def stop(record: Record, *, grace: float) -> bool:
    """Ask a process to end, wait `grace` seconds, then kill its whole session. Answers whether it ended by itself."""
    _send(record, record.stop_by)
    if wait_gone(record, grace):
        return True
    kill(record)
    return False


def kill(record: Record) -> None:
    """Kill a process and its session, and wait until it is gone (kill -9: it has no say in it)."""
    if record.alive():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(os.getsid(record.pid), signal.SIGKILL)
    _send(record, signal.SIGKILL)
    wait_gone(record, 10)


def wait_gone(record: Record, seconds: float) -> bool:
    """Wait until a process has ended; False when it has not after `seconds`."""
    until = time.monotonic() + seconds
    while record.alive():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def end_pids(pids: Sequence[int], *, grace: float = 5) -> None:
    """End processes that have no record: ask, wait, kill."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=grace)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=grace)


def memory(record: Record) -> int:
    """Bytes of memory a process and its children hold, shared pages counted once where the system can tell."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(record.pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += _resident(member)
    return total


def last_words(record: Record) -> str:
    """The line of its log, since it was started, that says best why a process ended; empty when it said nothing."""
    try:
        with Path(record.log).open("rb") as log:
            log.seek(max(record.log_offset, Path(record.log).stat().st_size - 65_536))
            lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    telling = [line for line in lines if _tells_why(line)]
    return (telling or lines or [""])[-1][:400]


def _tells_why(line: str) -> bool:
    return not line.startswith("at ") and any(
        word in line for word in ("Error", "ERROR", "FATAL", "Exception", "fatal")
    )


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


def _launch(program: Program, mark: Mapping[str, str], log: Path) -> int:
    # Logs name customers, and what servers keep is theirs.
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, storage.PRIVATE), "ab") as output:
        launched = subprocess.run(
            ("/bin/sh", "-c", _LAUNCH, "sh", *program.command),
            env={**program.environment, **mark},
            cwd=program.cwd,
            user=program.user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            umask=program.umask,
            check=True,
            text=True,
        )
    return int(launched.stdout)


def _rotated(log: Path) -> int:
    storage.private_folder(log.parent)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log.stat().st_size if log.exists() else 0


def _send(record: Record, number: int) -> None:
    if record.alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, number)


def _kernel_birth(pid: int) -> str | None:
    """The boot and the clock tick of its birth, which no later correction of the wall clock moves (Linux)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{after_name[19]}"
    except OSError:
        return None
