from scripts.bench import stack
from scripts.stack import settings
from scripts.stack.servers import mesh
from scripts.stack.supervise import progress


def bench(environment: dict[str, str]) -> stack.BenchStack:
    return stack.BenchStack.of(environment, progress.Silent())


def test_the_bench_stands_on_ports_of_its_own() -> None:
    assert bench({}).chosen.stack.port_base == 26000
    assert bench({"PORT_BASE": "31000"}).chosen.stack.port_base == 36000
    assert bench({"STACK_PORT_BASE": "41000"}).chosen.stack.port_base == 41000


def test_sagas_wait_as_long_as_in_production_and_the_edge_lets_orders_through() -> None:
    [order] = [service for service in mesh.build(bench({}).chosen) if service.name == "order"]
    assert order.program.environment["ORDER_STOCK_DEADLINE_S"] == "120.0"
    assert order.program.environment["EDGE_RATE_LIMIT_FACTOR"] == "100000"
    impatient = settings.FOR_TESTS.items() - {("EDGE_RATE_LIMIT_FACTOR", "1000")}
    assert not impatient & order.program.environment.items()


def test_the_servers_a_user_already_has_are_left_alone() -> None:
    chosen = bench({"KAFKA_BOOTSTRAP": "broker:9092", "ORDER_DATABASE_URL": "postgresql://db/order"}).chosen
    assert chosen.external == {}


def test_one_at_a_time_is_a_setting_that_reaches_the_services() -> None:
    chosen = bench({"CONSUMER_BATCH": "1"}).chosen
    assert all(service.program.environment["CONSUMER_BATCH"] == "1" for service in mesh.build(chosen))
