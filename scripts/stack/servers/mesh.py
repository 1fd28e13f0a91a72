"""The services as processes: one each, or all in one; and the two things done before they start."""

import sys
from pathlib import Path

from scripts.stack import layout, settings
from scripts.stack.supervise import component, fingerprints, health, processes
from services import registry

TOGETHER = "services"
# What changes a service's behaviour and is therefore part of its fingerprint, besides the services' own variables.
_TELLING = (
    "KAFKA_",
    "HEALTH_",
    "OTEL_",
    "LOG_",
    "EDGE_",
    "ADMIN_",
    "MESH_",
    "METRICS_",
    "PAYMENT_",
    "STRIPE_",
    "SMTP_",
    "REDIS_",
    "USER_",
)


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
        fingerprint=fingerprints.of(command, _telling(chosen, environment), _sources(hosted)),
    )


def _telling(chosen: settings.Settings, environment: dict[str, str]) -> dict[str, str]:
    prefixes = (*_TELLING, *(f"{settings.prefix(service)}_" for service in chosen.services))
    return {name: value for name, value in environment.items() if name.startswith(prefixes)}


def _sources(hosted: tuple[registry.Service, ...]) -> list[Path]:
    root = layout.ROOT
    rooms = [root / "services" / service.name for service in hosted]
    files = [root / "services" / name for name in ("__main__.py", "registry.py", "services.yaml")]
    return [*rooms, root / "services" / "chassis", *files, root / ".souk" / "gen" / ".fingerprint"]
