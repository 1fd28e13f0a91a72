"""The services as processes: one each, or all in one; and the two things done before they start."""

import importlib
import sys
from pathlib import Path

from scripts.local import component, fingerprints, health, layout, processes, settings
from services import registry
from services.chassis import assembly
from services.chassis.settings import variables

TOGETHER = "services"
# What changes a service's behaviour and is therefore part of its fingerprint, besides its own settings.
_TELLING = ("KAFKA_", "HEALTH_", "OTEL_", "LOG_", "MESH_", "METRICS_", "TOKEN_", "TRACE_", "AWS_")


def build(chosen: settings.Settings) -> tuple[component.Component, ...]:
    """The processes that host the services, in the registry's order."""
    if chosen.stack.together:
        return (_together(chosen),)
    return tuple(_alone(chosen, service) for service in chosen.services)


def program(chosen: settings.Settings, *arguments: str) -> processes.Program:
    """A run of `python -m services` that may touch every service's database: migrations, topics."""
    environment = settings.process_environment(chosen, chosen.services, chosen.stack.together_metrics_port)
    return processes.Program((sys.executable, "-m", "services", *arguments), environment, layout.ROOT)


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
        fingerprint=fingerprints.of(command, _telling(chosen, environment, hosted), _sources(hosted)),
    )


def _telling(
    chosen: settings.Settings, environment: dict[str, str], hosted: tuple[registry.Service, ...]
) -> dict[str, str]:
    prefixes = (*_TELLING, *(f"{settings.prefix(service)}_" for service in chosen.services))
    read = {name for service in hosted for name in _read_by(service)}
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(prefixes) or name.removesuffix("_FILE") in read
    }


def _read_by(service: registry.Service) -> list[str]:
    """The variables that a service reads."""
    own = importlib.import_module(f"services.{service.name}.settings").Settings
    return [name for kind in (own, *assembly.SETTINGS) for name in variables(kind, service=service.name)]


def _sources(hosted: tuple[registry.Service, ...]) -> list[Path]:
    root = layout.ROOT
    rooms = [root / "services" / service.name for service in hosted]
    files = [root / "services" / name for name in ("__main__.py", "registry.py", "services.yaml")]
    return [*rooms, root / "services" / "chassis", *files, root / ".souk" / "gen" / ".fingerprint"]
