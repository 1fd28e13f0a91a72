import re
from pathlib import Path

from scripts.stack.servers import kafka, pinned_jars


def test_every_jar_is_pinned_by_version_and_sum() -> None:
    jars = pinned_jars.read(kafka.LOCK)
    assert "org.apache.kafka:kafka_2.13:4.1.0" in {jar.coordinate for jar in jars}
    assert all(re.fullmatch(r"[^:]+:[^:]+:[\w.-]+", jar.coordinate) for jar in jars)
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_the_parts_of_the_broker_are_of_one_version() -> None:
    versions = {
        jar.coordinate.rpartition(":")[2]
        for jar in pinned_jars.read(kafka.LOCK)
        if "org.apache.kafka" in jar.coordinate
    }
    assert versions == {"4.1.0"}


def test_a_jar_lies_where_maven_would_look_for_it() -> None:
    jar = pinned_jars.Jar("org.apache.kafka:kafka_2.13:4.1.0", "")
    expected = "repository/org/apache/kafka/kafka_2.13/4.1.0/kafka_2.13-4.1.0.jar"
    assert jar.path(Path("repository")) == Path(expected)
