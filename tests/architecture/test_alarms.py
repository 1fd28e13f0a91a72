"""Every alarm that the code can raise wakes somebody, and the page for operators says what to do about it."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
RULES = yaml.safe_load((ROOT / "k8s" / "prometheus" / "rules.yaml").read_text())
COUNTER = "souk_alarms_total"


def names_in(source: str) -> set[str]:
    """The names of the alarms that a module raises. Raises ValueError for one that is not written out in it."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {name for call in _raised(tree) for name in _written(call.args[1], constants)}


def _raised(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "labels":
            counter = node.func.value
            if isinstance(counter, ast.Attribute) and counter.attr == "ALARMS":
                yield node


def _written(name: ast.expr, constants: Mapping[str, object]) -> Iterator[str]:
    match name:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=known) if known in constants:
            yield str(constants[known])
        case ast.IfExp(body=one, orelse=other):
            yield from _written(one, constants)
            yield from _written(other, constants)
        case _:
            raise ValueError(f"write the alarm's name out: {ast.unparse(name)}")


ALARMS = sorted({name for path in (ROOT / "services").rglob("*.py") for name in names_in(path.read_text())})


def test_the_alarms_of_the_code_are_found() -> None:
    assert {"outbox_refused", "timer_failed", "contact_unknown", "reason_unnamed", "outcome_not_written"} <= set(ALARMS)
    assert names_in('X = "x"\nmetrics.ALARMS.labels(s, X if a else "y").inc()') == {"x", "y"}
    with pytest.raises(ValueError, match="write the alarm"):
        names_in("metrics.ALARMS.labels(s, name).inc()")


def told_by(expression: str, alarm: str) -> bool:
    """Whether an alert on this expression is about this alarm, too: no selector of the counter leaves it out."""
    selectors = re.findall(rf"{COUNTER}(?:\{{([^}}]*)\}})?", expression)
    matchers = re.findall(r'alarm(=~|!~|!=|=)"([^"]*)"', " ".join(selectors))
    fits: dict[str, Callable[[str], bool]] = {
        "=": lambda value: value == alarm,
        "!=": lambda value: value != alarm,
        "=~": lambda value: re.fullmatch(value, alarm) is not None,
        "!~": lambda value: re.fullmatch(value, alarm) is None,
    }
    return bool(selectors) and all(fits[how](value) for how, value in matchers)


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alert_tells_of_every_alarm(alarm: str) -> None:
    expressions = [rule["expr"] for group in RULES["spec"]["groups"] for rule in group["rules"]]
    assert any(told_by(expression, alarm) for expression in expressions)


@pytest.mark.parametrize("alarm", ALARMS)
def test_the_page_for_operators_says_what_to_do_about_every_alarm(alarm: str) -> None:
    rows = [line for line in OPERATIONS.splitlines() if line.startswith(f"| `{alarm}` |")]
    assert len(rows) == 1
    assert all(len(cell.split()) >= 5 for cell in rows[0].strip("| ").split(" | ")[1:])


def test_the_page_names_no_alarm_that_the_code_does_not_raise() -> None:
    table = OPERATIONS.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == ALARMS
    assert set(re.findall(COUNTER + r'\{alarm="(\w+)"', OPERATIONS)) <= set(ALARMS)


@pytest.mark.parametrize("alarm", ["other", "x"])
def test_an_alert_about_other_alarms_is_no_alert_about_this_one(alarm: str) -> None:
    assert not told_by('increase(souk_alarms_total{alarm="saga_stuck"}[15m]) > 0', alarm)
    assert not told_by("souk_events_dead_total > 0", alarm)
    assert told_by('souk_alarms_total{alarm!="saga_stuck"} > 0', alarm)


def test_an_alert_counts_what_appears_with_its_first_alarm() -> None:
    for group in RULES["spec"]["groups"]:
        for rule in group["rules"]:
            for counter in re.findall(r"increase\((souk_\w+_total)\[", rule["expr"]):
                assert f"{counter} unless {counter} offset" in rule["expr"], rule["alert"]
