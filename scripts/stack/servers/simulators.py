"""What stands in for the world outside: payment provider, carrier, mail server and bucket, each a process of its own."""

import sys

from scripts.stack import layout, settings
from scripts.stack.supervise import component, fingerprints, health, processes

PROVIDER, CARRIER, MAIL, OBJECTS = "provider", "carrier", "mail", "objects"
STAND_INS = (PROVIDER, CARRIER, MAIL, OBJECTS)
# Ten hours of the carrier pass in a second: a parcel arrives after three of them. In tests it is there at once.
CARRIER_SPEED, CARRIER_SPEED_OF_TESTS = 36_000, 1_000_000


def provider(chosen: settings.Settings) -> component.Component:
    """The payment provider; its accounts outlive it in its state folder."""
    stack = chosen.stack
    state = stack.folder / PROVIDER
    return _simulator(
        chosen, PROVIDER, ("--state", str(state)), lambda: health.http(f"http://{stack.address(PROVIDER)}/healthz")
    )


def carrier(chosen: settings.Settings) -> component.Component:
    """The carrier; its labels and parcels outlive it in its state folder."""
    stack = chosen.stack
    speed = CARRIER_SPEED if stack.name == layout.MAIN else CARRIER_SPEED_OF_TESTS
    options = ("--state", str(stack.folder / CARRIER), "--speed", str(speed))
    return _simulator(chosen, CARRIER, options, lambda: health.http(f"http://{stack.address(CARRIER)}/healthz"))


def mail(chosen: settings.Settings) -> component.Component:
    """The mail server; what it receives lies in the stack's `mail` folder."""
    stack = chosen.stack
    store = stack.folder / MAIL
    return _simulator(chosen, MAIL, ("--store", str(store)), lambda: health.smtp(f"smtp://{stack.address(MAIL)}"))


def objects(chosen: settings.Settings) -> component.Component:
    """The bucket of products' images; what lies in it is gone when it ends."""
    address = chosen.stack.address(OBJECTS)
    options = ("--bucket", settings.BUCKET, "--region", settings.REGION)
    return _simulator(chosen, OBJECTS, options, lambda: health.http(f"http://{address}/"))


def _simulator(
    chosen: settings.Settings, name: str, options: tuple[str, ...], healthy: component.Check
) -> component.Component:
    stack = chosen.stack
    command = (sys.executable, "-m", f"scripts.simulators.{name}", "--listen", stack.address(name), *options)
    return component.Component(
        name=name,
        program=processes.Program(command, settings.passed_on(chosen), layout.ROOT),
        address=stack.address(name),
        ports=(stack.port(name),),
        variable="PORT_BASE",
        healthy=healthy,
        fingerprint=fingerprints.of(command, {}, [layout.ROOT / "scripts" / "simulators"]),
    )
