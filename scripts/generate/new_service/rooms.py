"""The files of a new service, rendered from `templates/` by what it stores, consumes and publishes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from google.protobuf import descriptor_pb2

from services.registry import Service
from souk.options.v1 import options_pb2

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that the service will hear: where its class is, and which field is its key."""

    package: str
    module: str
    message: str
    key: str


def render(service: Service, descriptors: bytes) -> dict[Path, str]:
    """The files of the service, by their paths in the repository. Raises ValueError for a topic that nobody publishes."""
    heard = [_first_of(topic, descriptors) for topic in service.consumes]
    told = _words(service, heard)
    # Templates are trusted; what they make is code and no HTML.
    environment = jinja2.Environment(  # noqa: S701
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return {
        path: environment.get_template(template).render(told).lstrip("\n") if template else ""
        for path, template in _files(service)
    }


def _words(service: Service, heard: Sequence[Heard]) -> Mapping[str, Any]:
    return {
        "name": service.name,
        "Name": service.name.capitalize(),
        "NAME": service.name.upper(),
        "stores": service.stores,
        "postgres": "postgres" in service.stores,
        "consumes": service.consumes,
        "publishes": service.publishes,
        "topic": service.publishes[0] if service.publishes else "",
        "events": service.on_kafka,
        "heard": heard,
    }


def _files(service: Service) -> Iterator[tuple[Path, str]]:
    """Each file with its template; an empty file has none."""
    name, kept = service.name, "entry" if service.stores else "greeting"
    contract = Path("proto/souk") / name / "v1"
    yield contract / f"{name}_service.proto", "proto/service.proto.jinja"
    yield contract / f"{name}_{kept}.proto", f"proto/{kept}.proto.jinja"
    if service.publishes:
        yield contract / f"{name}_events.proto", "proto/events.proto.jinja"
    for room in _rooms(service):
        yield Path("services") / name / room, f"service/{room}.jinja"
    for kind, file in (("unit", "test_domain.py"), ("integration", "test_calls.py")):
        yield Path("tests") / kind / name / "__init__.py", ""
        yield Path("tests") / kind / name / file, f"{kind}/{file}.jinja"


def _rooms(service: Service) -> Iterator[str]:
    yield from ("__init__.py", "domain.py", "messages.py", "rpc.py", "settings.py", "main.py")
    if service.stores:
        yield from ("usecases.py", "store.py")
    if service.on_kafka:
        yield "events.py"
    if "postgres" in service.stores:
        yield "migrations/0001_entries.py"


def _first_of(topic: str, descriptors: bytes) -> Heard:
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
        for message in file.message_type:
            event = message.options.Extensions[options_pb2.event]
            if event.topic == topic:
                return Heard(file.package, f"{Path(file.name).stem}_pb2", message.name, event.key)
    raise ValueError(f"nobody publishes anything on {topic}")
