import functools
import gc
import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jgo.maven import MavenContext

from scripts.local import component, kafka_jars, problems, progress

# jgo leaves the connections of its downloads to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
CONTENT = b"as if it were a jar"
JAR = kafka_jars.Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """A package registry of our own, on loopback."""
    folder = tmp_path / "registry"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (tmp_path / "address").write_text(f"http://127.0.0.1:{server.server_port}")
        yield folder
        server.shutdown()
        thread.join()
        gc.collect()


@pytest.fixture
def context(repository: Path, tmp_path: Path) -> MavenContext:
    del repository
    address = (tmp_path / "address").read_text()
    return MavenContext(repo_cache=tmp_path / "cache" / "maven", remote_repos={"ours": address}, timeout=5)


def offer(repository: Path, content: bytes) -> None:
    path = repository / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def download(context: MavenContext) -> None:
    kafka_jars.download(context, [JAR], progress.Silent(), threading.Event())


def test_every_jar_is_pinned_by_version_and_sum() -> None:
    jars = kafka_jars.pinned()
    assert "org.apache.kafka:kafka_2.13:4.1.0" in {jar.coordinate for jar in jars}
    assert all(re.fullmatch(r"[^:]+:[^:]+:[\w.-]+", jar.coordinate) for jar in jars)
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_the_parts_of_the_broker_are_of_one_version() -> None:
    versions = {
        jar.coordinate.rpartition(":")[2] for jar in kafka_jars.pinned() if "org.apache.kafka" in jar.coordinate
    }
    assert versions == {"4.1.0"}


def test_a_jar_with_the_pinned_sum_is_kept(repository: Path, context: MavenContext) -> None:
    offer(repository, CONTENT)
    download(context)
    assert [path.read_bytes() for path in context.repo_cache.rglob("*.jar")] == [CONTENT]


def test_a_jar_with_another_sum_is_refused_and_not_kept(repository: Path, context: MavenContext) -> None:
    offer(repository, b"something else")
    with pytest.raises(problems.StackError, match="not the pinned one: not used"):
        download(context)
    assert not list(context.repo_cache.parent.rglob("*.jar"))


def test_a_registry_without_the_jar_is_reported_in_one_line(repository: Path, context: MavenContext) -> None:
    del repository
    with pytest.raises(problems.StackError, match=r"cannot download org.example:thing:1.0 .*check the network"):
        download(context)


def test_an_interrupt_ends_the_downloads_that_are_left(repository: Path, context: MavenContext) -> None:
    offer(repository, CONTENT)
    cancelled = threading.Event()
    cancelled.set()
    jars = [JAR, *(kafka_jars.Jar(f"org.example:missing:{number}", "") for number in range(100))]
    with pytest.raises(component.Cancelled):
        kafka_jars.download(context, jars, progress.Silent(), cancelled)


def test_a_download_that_was_cut_short_is_made_again(repository: Path, context: MavenContext) -> None:
    offer(repository, CONTENT)
    part = context.repo_cache.with_name("maven.part") / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:5])
    download(context)
    assert [path.read_bytes() for path in context.repo_cache.rglob("*.jar")] == [CONTENT]
