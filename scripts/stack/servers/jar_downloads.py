"""Downloads the jars of servers, each checked against the SHA-256 that its lock file pins.

python -m scripts.stack.servers.jar_downloads        re-reads the jars of all lock files and writes their sums anew
"""

import concurrent.futures
import hashlib
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.maven import MavenContext

from scripts.stack import layout
from scripts.stack.servers import pinned_jars
from scripts.stack.supervise import component, problems, progress

AT_ONCE = 8
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Registries:
    """Where jars come from: name to address; Maven Central when none is named."""

    addresses: dict[str, str] | None = None

    def fetch(self, jar: pinned_jars.Jar, repository: Path) -> Path:
        """Download a jar into a repository, unless it is there. Raises what jgo and requests raise."""
        group, artifact, version = jar.coordinate.split(":")
        context = MavenContext(repo_cache=repository, remote_repos=self.addresses, timeout=TIMEOUT_S)
        return Path(context.project(group, artifact).at_version(version).artifact().resolve())


def download(
    repository: Path,
    jars: list[pinned_jars.Jar],
    report: progress.Progress,
    cancelled: threading.Event,
    *,
    registries: Registries = Registries(),
) -> None:
    """Download jars side by side, keeping each only when its sum is the pinned one. Raises a StackError."""
    report.say("jars", f"downloading {len(jars)} jars")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        pending = [pool.submit(_keep, jar, repository, registries, cancelled) for jar in jars]
        try:
            for count, done in enumerate(concurrent.futures.as_completed(pending), start=1):
                done.result()
                if count % 15 == 0 or count == len(jars):
                    report.say("jars", f"{count} of {len(jars)} jars downloaded")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _keep(jar: pinned_jars.Jar, repository: Path, registries: Registries, cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise component.Cancelled
    # Under another name until its sum is right: a download that was cut short is never taken for the jar.
    parts = repository.with_name("maven.part")
    part = jar.path(parts)
    part.unlink(missing_ok=True)
    try:
        registries.fetch(jar, parts)
    except (requests.RequestException, RuntimeError) as error:
        raise problems.StackError(
            f"jars: cannot download {jar.coordinate} ({type(error).__name__}): "
            "check the network to the package registry and run again; what was downloaded is kept"
        ) from error
    if (found := _sum(part)) != jar.sha256:
        part.unlink()
        raise problems.StackError(f"jars: {jar.coordinate} has the SHA-256 {found}, not the pinned one: not used")
    path = jar.path(repository)
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Write each lock file anew, from the jars of its coordinates."""
    repository = layout.ROOT / ".souk" / "cache" / "maven.lock"
    for lock in sorted(Path(__file__).parent.glob("*.lock")):
        lines = [_relocked(line, repository) for line in lock.read_text().splitlines()]
        lock.write_text("\n".join(lines) + "\n")
    return 0


def _relocked(line: str, repository: Path) -> str:
    if not line or line.startswith("#"):
        return line
    jar = pinned_jars.Jar(line.split(maxsplit=1)[0], "")
    return f"{jar.coordinate} sha256:{_sum(Registries().fetch(jar, repository))}"


if __name__ == "__main__":
    sys.exit(main())
