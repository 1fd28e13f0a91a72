"""The broker's jars: exactly those that kafka.lock pins, each checked against its SHA-256, kept in the cache.

python -m scripts.local.kafka_jars      re-reads the jars of the coordinates in kafka.lock and writes their sums anew
"""

import concurrent.futures
import hashlib
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.maven import Artifact, MavenContext

from scripts.local import component, layout, problems, progress

LOCK = Path(__file__).with_name("kafka.lock")
DOWNLOADS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar's coordinate (`group:artifact:version`) and the SHA-256 of its contents."""

    coordinate: str
    sha256: str


def pinned(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The jars that kafka.lock names."""
    lines = (line for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(Jar(*line.split(" sha256:")) for line in lines)


def class_path(cache: Path, report: progress.Progress, *, cancelled: threading.Event | None = None) -> str:
    """The class path of the broker; missing jars are downloaded. Raises a StackError when one cannot be had."""
    jars = pinned()
    context = MavenContext(repo_cache=cache / "maven", timeout=30)
    missing = [jar for jar in jars if not _cached(context, jar).exists()]
    if missing:
        download(context, missing, report, cancelled or threading.Event())
    return ":".join(str(_cached(context, jar)) for jar in jars)


def download(context: MavenContext, jars: list[Jar], report: progress.Progress, cancelled: threading.Event) -> None:
    """Download jars side by side, keeping each only when its sum is the pinned one. Raises a StackError."""
    report.say("kafka", f"downloading {len(jars)} jars (43 MiB in all)")
    with concurrent.futures.ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        pending = [pool.submit(_fetch, context, jar, cancelled) for jar in jars]
        try:
            for count, done in enumerate(concurrent.futures.as_completed(pending), start=1):
                done.result()
                if count % 15 == 0 or count == len(jars):
                    report.say("kafka", f"{count} of {len(jars)} jars downloaded")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(context: MavenContext, jar: Jar, cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise component.Cancelled
    path = _cached(context, jar)
    # Under another name until its sum is right: a download that was cut short is never taken for the jar.
    private = MavenContext(
        repo_cache=context.repo_cache.with_name("maven.part"),
        remote_repos=context.remote_repos,
        timeout=context.timeout,
    )
    part = _cached(private, jar)
    part.unlink(missing_ok=True)
    try:
        _artifact(private, jar).resolve()
    except (requests.RequestException, RuntimeError) as error:
        raise problems.StackError(
            f"kafka: cannot download {jar.coordinate} ({type(error).__name__}): "
            "check the network to the package registry and run again; what was downloaded is kept"
        ) from error
    if (found := hashlib.sha256(part.read_bytes()).hexdigest()) != jar.sha256:
        part.unlink()
        raise problems.StackError(f"kafka: {jar.coordinate} has the SHA-256 {found}, not the pinned one: not used")
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)


def _artifact(context: MavenContext, jar: Jar) -> Artifact:
    group, artifact, version = jar.coordinate.split(":")
    return context.project(group, artifact).at_version(version).artifact()


def _cached(context: MavenContext, jar: Jar) -> Path:
    return Path(_artifact(context, jar).cached_path)


def main() -> int:
    """Write kafka.lock anew, from the jars of its coordinates."""
    context = MavenContext(repo_cache=layout.ROOT / ".souk" / "cache" / "maven.lock")
    lines = []
    for line in LOCK.read_text().splitlines():
        if line and not line.startswith("#"):
            jar = Jar(line.split()[0], "")
            digest = hashlib.sha256(Path(_artifact(context, jar).resolve()).read_bytes()).hexdigest()
            line = f"{jar.coordinate} sha256:{digest}"  # noqa: PLW2901 - the line is what is rewritten
        lines.append(line)
    LOCK.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
