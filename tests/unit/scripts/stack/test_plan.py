from pathlib import Path

from scripts.stack import layout, plan, settings


def test_nobody_loses_what_it_still_needs_when_a_stack_is_taken_down() -> None:
    groups = plan.ending_order(("edge", "kafka", "mail", "objects", "order", "postgres", "provider", "redis", "user"))
    assert groups == (("edge",), ("order", "user"), ("provider", "mail", "objects"), ("kafka",), ("redis", "postgres"))


def test_what_does_not_run_is_no_part_of_the_order() -> None:
    assert plan.ending_order(("postgres", "order")) == (("order",), ("postgres",))
    assert plan.ending_order(()) == ()


def test_together_there_is_one_process_for_all_services(tmp_path: Path) -> None:
    together = settings.read(layout.Stack(root=tmp_path, together=True), {})
    apart = settings.read(layout.Stack(root=tmp_path), {})
    assert plan.service_names(together) == ("services",)
    assert plan.service_names(apart) == tuple(service.name for service in apart.services)


def test_the_users_servers_are_no_processes_of_the_stack(tmp_path: Path) -> None:
    chosen = settings.read(layout.Stack(root=tmp_path), {"KAFKA_BOOTSTRAP": "kafka.example:9092"})
    assert "kafka" not in plan.names(chosen)
    assert "postgres" in plan.names(chosen)
