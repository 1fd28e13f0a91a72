"""The services as processes: one each, or all in one; and the two things done before they start."""

import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.stack import bootstrap, layout, settings
from scripts.stack.supervise import component, fingerprints, health, imports, processes
from services import registry

TOGETHER = "services"
# What libraries read of the environment, besides what the services' own code names.
_OF_LIBRARIES = ("AWS_", "GRPC_", "OTEL_", "PYTHON", "SSL_")


def build(chosen: settings.Settings) -> tuple[component.Component, ...]:
    """The processes that host the services, in the registry's order."""
    if chosen.stack.together:
        return (_together(chosen),)
    return tuple(_alone(chosen, service) for service in chosen.services)


def program(chosen: settings.Settings, *arguments: str) -> processes.Program:
    """A run of `python -m services` that may touch every service's database: migrations, topics."""
    environment = settings.process_environment(chosen, chosen.services, chosen.stack.together_metrics_port)
    return processes.Program((sys.executable, "-m", "services", *arguments), environment, layout.ROOT)


def importing(chosen: settings.Settings) -> processes.Program:
    """A run that imports what all services import, and does nothing: what is compiled then is not compiled by each of them."""
    code = "; ".join(f"import services.{service.name}.main" for service in chosen.services)
    return processes.Program((sys.executable, "-c", code), settings.passed_on(chosen), layout.ROOT)


def _alone(chosen: settings.Settings, service: registry.Service) -> component.Component:
    metrics = chosen.stack.metrics_port(service.metrics_port)
    return _process(chosen, service.name, (service,), metrics)


def _together(chosen: settings.Settings) -> component.Component:
    return _process(chosen, TOGETHER, chosen.services, chosen.stack.together_metrics_port)


def _process(
    chosen: settings.Settings, name: str, hosted: tuple[registry.Service, ...], metrics_port: int
) -> component.Component:
    stack = chosen.stack
    addresses = [chosen.mesh_addresses()[f"{settings.prefix(service)}_ADDR"] for service in hosted]
    arguments = () if stack.together else (name,)
    command = (sys.executable, "-m", "services", *arguments)
    environment = settings.process_environment(chosen, hosted, metrics_port)
    return component.Component(
        name=name,
        program=processes.Program(command, environment, layout.ROOT),
        address=addresses[0] if len(addresses) == 1 else f"{addresses[0]}-{addresses[-1].rpartition(':')[2]}",
        ports=(*(stack.service_port(service.port) for service in hosted), metrics_port),
        variable="PORT_BASE",
        healthy=lambda: all(health.service(chosen.health_addresses()[service.name]) for service in hosted),
        fingerprint=fingerprints.of(command, _telling(hosted, environment, chosen.given), _sources(hosted)),
    )


def _telling(
    hosted: tuple[registry.Service, ...], environment: Mapping[str, str], user: Mapping[str, str]
) -> dict[str, str]:
    """What the process reads of its environment: all that the stack tells it, and what its code names of the user's.

    A file that a variable names counts by its contents: another password is another setting.
    """
    named = {name for path in _modules(hosted) for name in imports.variables(path)}
    read = {name.replace("{SERVICE}", settings.prefix(service)) for name in named for service in hosted}
    telling = {
        name: value
        for name, value in environment.items()
        if name not in user or name.removesuffix("_FILE") in read or name.startswith(_OF_LIBRARIES)
    }
    return {name: _content(value) if name.endswith("_FILE") else value for name, value in telling.items()}


def _content(path: str) -> str:
    return Path(path).read_text() if Path(path).is_file() else path


def _sources(hosted: tuple[registry.Service, ...]) -> list[Path]:
    """The modules that the process imports, what lies beside them (migrations, templates), stubs and packages."""
    services = layout.ROOT / "services"
    rooms = [services / name for name in ("chassis", *(service.name for service in hosted))]
    made = [layout.ROOT / ".souk" / "gen" / ".fingerprint", bootstrap.STAMP]
    return [*_modules(hosted), *rooms, services / "services.yaml", *(path for path in made if path.exists())]


def _modules(hosted: tuple[registry.Service, ...]) -> frozenset[Path]:
    # `python -m services` finds the services that it is told to host by their names.
    mains = (f"services.{service.name}.main" for service in hosted)
    return imports.reached(layout.ROOT, ["services.__main__", *mains])
