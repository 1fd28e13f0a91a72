"""Writes docs/events.md and docs/errors.md from the contract, so that they cannot say anything else.

python -m scripts.generate.reference            writes both
python -m scripts.generate.reference --check    says whether they are what they would be, as the exit code
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2

from gateway import contract
from gateway.envoy import errors as edge_errors
from services import registry
from services.chassis.events import parked
from services.chassis.rpc import reasons
from souk.options.v1 import options_pb2

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTORS = ROOT / ".souk" / "gen" / "souk.binpb"
DOCS = ROOT / "docs"
DEAD_LETTER = "dead-letter"
ENVOYS_WORDS = "%LOCAL_REPLY_BODY%"


@dataclass(frozen=True, slots=True)
class Published:
    """A message that is published: by whom, where, and under which key."""

    message: contract.Message
    service: str
    topic: str
    key: str

    @property
    def name(self) -> str:
        """Its name without the package."""
        return self.message.full_name.rsplit(".", 1)[1]


def pages() -> dict[Path, str]:
    """Both pages and what they must hold."""
    descriptors = DESCRIPTORS.read_bytes()
    known = registry.load()
    read = contract.read(descriptors, known.services)
    return {
        DOCS / "events.md": events_page(list(_published(descriptors, read)), known),
        DOCS / "errors.md": errors_page(read),
    }


def main(arguments: list[str]) -> int:
    """Write or check. Answers with a process exit code."""
    wanted = pages()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(
                f"{path.relative_to(ROOT)} is not what the contract says: python -m scripts.generate.reference",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


# The headers that a dead letter has beside those of every event (services/chassis/events/parked.py).
DEAD_LETTERS = """
## Dead letters

What no consumer could handle is published to `dead-letter`. The value is the record's own, byte for byte, and
`ce_type` its type, `unknown` where it named none. `ce_id` is made of topic, partition and offset, so a record that is
read again makes the same dead letter. Beside the headers of every event it has these:

| header | what it says |
|---|---|
| `origin_topic`, `origin_partition`, `origin_offset`, `origin_key` | Where the record lies, and its key. |
| `origin_<name>` | Each header of the record, at most {headers} of them. |
| `attempts` | How often it was tried: 1 for bytes that cannot be read. |
| `error` | The last error. |
| `truncated_from` | How many bytes the value had, when it was cut off at {payload} bytes. |

Texts are cut off at {header} characters, and characters that PostgreSQL refuses are written as escapes. A record with
the header `refused` was not published: it is in the outbox of its service, and the header says why the brokers refuse
it ([operations.md](operations.md#events-that-failed)). It is taken away before the record is sent again.
"""


def events_page(published: list[Published], known: registry.Registry) -> str:
    """What goes over Kafka: topics, and every event with its fields."""
    lines = [
        "# Events",
        "",
        "Written by `python -m scripts.generate.reference` from the contract; do not edit.",
        "",
        "Every event is a CloudEvent in binary mode: the headers `ce_id` (UUIDv7), `ce_type` (the message's full name),",
        "`ce_source`, `ce_time`, `ce_subject` (the key), `ce_sequence` (the version of what it tells of) and, in a trace,",
        "`traceparent`; the value is the protobuf message. Delivery is at least once and in order per key: count an event",
        "once by its `ce_id`.",
        "",
        "| topic | key | partitions | published by | consumed by |",
        "|---|---|---|---|---|",
    ]
    for name, topic in known.topics.items():
        by = (
            ", ".join(service.name for service in known.services.values() if name in service.publishes)
            or "every consumer"
        )
        to = ", ".join(service.name for service in known.services.values() if name in service.consumes)
        to = to or ("operators" if name == DEAD_LETTER else "nobody yet")
        lines.append(f"| `{name}` | {topic.key} | {topic.partitions} | {by} | {to} |")
    sizes = {"headers": parked.MOST_HEADERS, "payload": parked.MOST_PAYLOAD, "header": parked.MOST_HEADER}
    lines += DEAD_LETTERS.format(**sizes).rstrip().split("\n")
    for event in published:
        lines += ["", f"## {event.name}", "", f"`{event.message.full_name}` on `{event.topic}`, key `{event.key}`."]
        lines += ["", event.message.comment, "", "| field | type | what it says |", "|---|---|---|"]
        lines += [f"| `{field.name}` | {_type(field)} | {_cell(field.comment)} |" for field in event.message.fields]
    return "\n".join(lines) + "\n"


def errors_page(read: contract.Contract) -> str:
    """What a caller may be told: by every method, by the edge, by each method."""
    lines = [
        "# Errors",
        "",
        "Written by `python -m scripts.generate.reference` from the contract; do not edit.",
        "",
        "Every error is a `google.rpc.Status` with an `ErrorInfo`: a reason that does not change, the service it comes",
        "from (`order.souk`, `edge.souk`, ...) and metadata with every word of the message that varies. REST answers carry",
        "the same as JSON. An error changes nothing: whatever was refused can be sent again.",
        "",
        "## From every service",
        "",
        "| reason | HTTP | meaning |",
        "|---|---|---|",
        *(f"| `{reason}` | {status} | {meaning} |" for reason, status, meaning in reasons.EVERYWHERE),
        "",
        "## From the edge",
        "",
        "| reason | HTTP | meaning |",
        "|---|---|---|",
        *(
            f"| `{error.reason}` | {error.status} | {_cell(error.message.replace(ENVOYS_WORDS, error.says))} |"
            for error in edge_errors.ERRORS
        ),
        "",
        "## From one method",
        "",
        "| method | REST | reasons |",
        "|---|---|---|",
    ]
    for method in sorted(read.methods, key=lambda method: method.full_name):
        routes = "<br>".join(f"`{rule.verb} {rule.path}`" for rule in method.http) or "only inside the mesh"
        named = ", ".join(f"`{reason}`" for reason in method.errors) or "none of its own"
        lines.append(f"| `{method.service_full_name.rsplit('.', 1)[1]}.{method.name}` | {routes} | {named} |")
    return "\n".join(lines) + "\n"


def _published(descriptors: bytes, read: contract.Contract) -> Iterator[Published]:
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
        for message in file.message_type:
            event = message.options.Extensions[options_pb2.event]
            if event.topic:
                found = read.messages[f"{file.package}.{message.name}"]
                yield Published(found, file.package.split(".")[1], event.topic, event.key)


def _type(field: contract.Field) -> str:
    name = field.type_name.rsplit(".", 1)[-1] if field.type_name else field.type
    return f"list of {name}" if field.repeated else name


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
