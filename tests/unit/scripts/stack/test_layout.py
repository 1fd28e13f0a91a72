from pathlib import Path

import pytest

from scripts.stack import layout
from scripts.stack.supervise import problems


def test_the_main_stack_has_its_usual_ports() -> None:
    stack = layout.chosen("main", {})
    assert (stack.port("postgres"), stack.port("kafka"), stack.edge_port) == (21001, 21003, 8080)
    assert stack.service_port(50054) == 21054
    assert stack.metrics_port(9454) == 21154


def test_the_edge_and_the_base_can_be_moved() -> None:
    stack = layout.chosen("main", {"PORT_BASE": "30000", "EDGE_PORT": "9090"})
    assert (stack.service_port(50054), stack.edge_port) == (30054, 9090)


def test_the_test_stack_stands_beside_the_main_one_wherever_that_is() -> None:
    for environment in ({}, {"PORT_BASE": "30000"}, {"EDGE_PORT": "9090"}):
        main, test = layout.chosen("main", environment), layout.chosen("test", environment)
        assert test.port_base == main.port_base + 1000
        assert test.edge_port == test.port_base + 80
        assert test.folder != main.folder


@pytest.mark.parametrize("text", ["nonsense", "0", "70000", "-1"])
def test_what_is_no_port_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(problems.StackError, match=f"EDGE_PORT={text} is no port"):
        layout.chosen("main", {"EDGE_PORT": text})


def test_a_base_without_room_above_it_is_refused() -> None:
    with pytest.raises(problems.StackError, match="set PORT_BASE to a number from 1024"):
        layout.chosen("main", {"PORT_BASE": "65500"})


def test_later_commands_find_the_ports_and_the_mode_of_the_last_up(tmp_path: Path) -> None:
    environment = {"PORT_BASE": "30000", "EDGE_PORT": "9090"}
    stack = layout.chosen("main", environment, together=True, root=tmp_path)
    stack.save()
    assert layout.saved("main", tmp_path) == stack


def test_a_stack_that_never_was_up_has_its_usual_ports(tmp_path: Path) -> None:
    assert layout.saved("main", tmp_path) == layout.chosen("main", {}, root=tmp_path)


def test_the_stacks_that_left_anything_behind_are_known(tmp_path: Path) -> None:
    assert layout.started(tmp_path) == ()
    for name in ("test", "main"):
        layout.Stack(name, root=tmp_path).save()
    (tmp_path / ".souk" / "stacks" / "main.lock").touch()
    assert layout.started(tmp_path) == ("main", "test")
