import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from scripts.bench import figures, report
from scripts.bench.run import Load, Measurement, Orders

PARTS = figures.Parts(services=("order",), simulators=("provider",))
SPENT = {"order": 1.96, "kafka": 0.98, "provider": 0.49}
MEASURED = Measurement(
    load=Load(("A",), 1, connections=128, seconds=60),
    orders=Orders(1000, 990, {"503": 8}, 2, 980, 10, 0),
    window_s=60.0,
    ended_s=64.5,
    accepted_per_s=16.5,
    confirmed_per_s=16.3,
    confirmed_per_s_to_the_last=15.2,
    accept_ms=figures.Percentiles(990, 20, 40, 80, 90),
    confirm_ms=figures.Percentiles(980, 200, 400, 800, 900),
    cpu_ms_per_confirmed=figures.Cost.of(SPENT, 0.3, 980, PARTS),
    cpu_ms_per_accepted=figures.Cost.of(SPENT, 0.3, 990, PARTS),
    cpu_s={"order": 1.96},
    cores_used=1.5,
    other_cores=0.1,
    memory_mib={"order": 80.0, "kafka": 400.0},
    samples=(),
    problems=(),
)


def row(table: str, start: str) -> list[str]:
    [line] = [line for line in table.splitlines() if line.strip().startswith(start)]
    return line.removeprefix(line[: line.index(start) + len(start)]).split("  ")


def test_the_table_has_a_column_for_each_scenario() -> None:
    table = report.table({"sustained": MEASURED, "half": replace(MEASURED, confirmed_per_s=8.0)})
    assert [cell.strip() for cell in row(table, "confirmed per s / to the last") if cell.strip()] == [
        "16.3 / 15.2",
        "8.0 / 15.2",
    ]
    assert "8 x 503 / 2" in table
    assert "980 / 10 / 0" in table


def test_the_table_tells_cpu_by_process_and_in_all() -> None:
    table = report.table({"sustained": MEASURED})
    assert row(table, "total   ")[-1].strip() == "3.00"
    assert row(table, "total with simulators")[-1].strip() == "3.50"
    assert row(table, "kafka")[-1].strip() == "1.00 (400 MiB)"
    assert row(table, "memory MiB, all")[-1].strip() == "480"


def test_problems_name_their_scenario() -> None:
    assert report.problems({"half": replace(MEASURED, problems=("lost",)), "hot_sku": MEASURED}) == ["half: lost"]


def test_every_run_has_its_file_and_the_last_is_the_latest(tmp_path: Path) -> None:
    first = report.write(tmp_path, {"run": 1}, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    report.write(tmp_path, {"run": 2}, datetime(2026, 1, 2, 3, 5, 6, tzinfo=UTC))
    assert first.name == "20260102T030405Z.json"
    assert json.loads(first.read_text()) == {"run": 1}
    assert json.loads((tmp_path / "latest.json").read_text()) == {"run": 2}
