"""The pages of events and errors are what the contract says, and services raise nothing that the contract does not name."""

import ast
from pathlib import Path

from gateway import contract
from scripts.generate import reference
from services import registry
from services.chassis.rpc import reasons

ROOT = Path(__file__).resolve().parents[2]
RAISING = {"invalid", "precondition", "not_found", "DomainError"}


def test_the_pages_are_up_to_date() -> None:
    assert reference.main(["--check"]) == 0, "python -m scripts.generate.reference"


def raised(path: Path) -> set[str]:
    """The reasons that a file raises: literal UPPER_SNAKE arguments of the functions that make a DomainError."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            arguments = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "reason")]
            texts = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
            if name in RAISING:
                found |= {text for text in texts if isinstance(text, str) and text.isupper() and " " not in text}
    return found


def test_reasons_are_found_where_they_are_raised() -> None:
    assert {"SAGA_NOT_STUCK"} <= raised(ROOT / "services/order/usecases/advancing.py")


def test_every_reason_that_a_service_raises_is_in_the_contract() -> None:
    known = registry.load().services
    read = contract.read(reference.DESCRIPTORS.read_bytes(), known)
    everywhere = {reason for reason, _, _ in reasons.EVERYWHERE}
    chassis = set().union(*(raised(path) for path in (ROOT / "services/chassis").rglob("*.py")))
    named = {
        service: {reason for m in read.methods if m.service == service for reason in m.errors} for service in known
    }
    for service in known:
        for path in (ROOT / "services" / service).rglob("*.py"):
            unknown = raised(path) - named[service] - everywhere
            assert not unknown, f"{path.relative_to(ROOT)} raises {unknown}, which no method of {service} names"
    of_any = set().union(*named.values()) | everywhere
    assert chassis <= of_any | {"CALL_FAILED", "REQUEST_INVALID"}


def test_every_stream_can_be_resumed() -> None:
    """A drain tells the callers of streams where to go on by these names: `services/chassis/rpc/streams.py`.

    It waits for uploads.
    """
    read = contract.read(reference.DESCRIPTORS.read_bytes(), registry.load().services)
    streams = [method for method in read.methods if method.server_streaming and not method.client_streaming]
    assert streams
    for method in streams:
        after = {field.name for field in read.messages[method.request].fields if field.name.startswith("after_")}
        assert after, f"{method.full_name} has no field that says where to go on"
        sent = {field.name for field in read.messages[method.response].fields}
        assert {name.removeprefix("after_") for name in after} <= sent


def test_a_server_knows_the_reasons_that_the_page_shows() -> None:
    descriptors = reference.DESCRIPTORS.read_bytes()
    everywhere = {reason for reason, _, _ in reasons.EVERYWHERE}
    shown = {
        m.grpc_path: {*m.errors, *everywhere} for m in contract.read(descriptors, registry.load().services).methods
    }
    known = reasons.read(descriptors)
    assert {path: known[path] for path in shown} == shown
    assert any(len(named) > len(everywhere) for named in known.values())
