"""An environment that makes no sense is told in one line for each mistake, without a stack."""

import pytest

from services import __main__ as program
from services import registry
from services.chassis import assembly, clock, settings
from souk.catalog.v1 import catalog_service_pb2

CATALOG = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
GOOD = {
    "ORDER_LISTEN": "127.0.0.1:0",
    "ORDER_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x",
    "KAFKA_BOOTSTRAP": "127.0.0.1:9",
    "MESH_KEY": "k" * 32,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRACE_RATIO", "much"),
        ("TRACE_RATIO", ""),
        ("TRACE_RATIO", "1.5"),
        ("TRACE_RATIO", "-0.1"),
        ("TRACE_RATIO", "nan"),
        ("LOG_LEVEL", "LOUD"),
        ("METRICS_LISTEN", "9090x"),
    ],
)
def test_what_the_process_reads_is_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert program.main(["order"]) == 2
    assert capsys.readouterr().err.startswith(f"{name}: ")


@pytest.mark.parametrize(("environ", "said"), [({}, "CATALOG_ADDR is not set"), ({"CATALOG_ADDR": ""}, "CATALOG_ADDR")])
def test_a_service_that_is_called_needs_an_address(environ: dict[str, str], said: str) -> None:
    host = assembly.Host({**GOOD, **environ}, assembly.ALL, "owner", clock.utc_now, registry.load().services)
    assembled = assembly.Assembly("order", host, {})
    with pytest.raises(settings.SettingsError, match=said):
        assembled.peer("catalog", CATALOG)
