import functools
import gc
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack.servers import jar_downloads, pinned_jars
from scripts.stack.servers.jar_downloads import Registries
from scripts.stack.supervise import component, problems, progress

# jgo leaves the connections of its downloads to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
CONTENT = b"as if it were a jar"
JAR = pinned_jars.Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())


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
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "maven"


@pytest.fixture
def registries(repository: Path, tmp_path: Path) -> Registries:
    del repository
    return Registries({"ours": (tmp_path / "address").read_text()})


def offer(repository: Path, content: bytes) -> None:
    path = repository / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def download(cache: Path, registries: Registries, *jars: pinned_jars.Jar, cancelled: bool = False) -> None:
    interrupt = threading.Event()
    if cancelled:
        interrupt.set()
    jar_downloads.download(cache, list(jars or (JAR,)), progress.Silent(), interrupt, registries=registries)


def test_a_jar_with_the_pinned_sum_is_kept(repository: Path, cache: Path, registries: Registries) -> None:
    offer(repository, CONTENT)
    download(cache, registries)
    assert [path.read_bytes() for path in cache.rglob("*.jar")] == [CONTENT]


def test_a_jar_with_another_sum_is_refused_and_not_kept(repository: Path, cache: Path, registries: Registries) -> None:
    offer(repository, b"something else")
    with pytest.raises(problems.StackError, match="not the pinned one: not used"):
        download(cache, registries)
    assert not list(cache.parent.rglob("*.jar"))


def test_a_registry_without_the_jar_is_reported_in_one_line(
    repository: Path, cache: Path, registries: Registries
) -> None:
    del repository
    with pytest.raises(problems.StackError, match=r"cannot download org.example:thing:1.0 .*check the network"):
        download(cache, registries)


def test_an_interrupt_ends_the_downloads_that_are_left(repository: Path, cache: Path, registries: Registries) -> None:
    offer(repository, CONTENT)
    left = [pinned_jars.Jar(f"org.example:missing:{number}", "") for number in range(100)]
    with pytest.raises(component.Cancelled):
        download(cache, registries, JAR, *left, cancelled=True)


def test_a_download_that_was_cut_short_is_made_again(repository: Path, cache: Path, registries: Registries) -> None:
    offer(repository, CONTENT)
    part = cache.with_name("maven.part") / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:5])
    download(cache, registries)
    assert [path.read_bytes() for path in cache.rglob("*.jar")] == [CONTENT]
