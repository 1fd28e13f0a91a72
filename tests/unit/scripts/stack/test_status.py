from scripts.stack import status
from scripts.stack.supervise import sizes

LINES = [
    status.Line("kafka", "127.0.0.1:21003", "healthy", 200 * sizes.MIB, 17, "/logs/kafka.log"),
    status.Line("order", "127.0.0.1:21054", "DOWN", log="/logs/order.log"),
    status.Line("REDIS_URL", "cache.example:6379", "yours, healthy"),
]


def test_the_table_has_a_line_for_each_process_and_the_sum_of_their_memory() -> None:
    *rows, total = status.render(LINES).splitlines()
    assert [row.split()[0] for row in rows] == ["process", "kafka", "order", "REDIS_URL"]
    assert "200 MiB" in rows[1]
    assert total == "200 MiB in all"


def test_only_what_answers_is_well() -> None:
    assert [line.well for line in LINES] == [True, False, True]
