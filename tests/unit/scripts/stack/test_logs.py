import io
from pathlib import Path

from scripts.stack import logs


def test_a_log_is_followed_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "order.log"
    path.write_text("".join(f"line {number}\n" for number in range(30)))
    log = logs.Followed(path)
    assert log.fresh() == [f"line {number}" for number in range(20, 30)]
    with path.open("a") as file:
        file.write("whole\nhal")
    assert log.fresh() == ["whole"]
    with path.open("a") as file:
        file.write("f\n")
    assert log.fresh() == ["half"]
    log.close()


def test_a_log_that_does_not_exist_yet_is_waited_for(tmp_path: Path) -> None:
    log = logs.Followed(tmp_path / "order.log")
    assert log.fresh() == []
    (tmp_path / "order.log").write_text("hello\n")
    assert log.fresh() == ["hello"]
    log.close()


def test_a_rotated_log_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "order.log"
    path.write_text("a long first life\n")
    log = logs.Followed(path)
    log.fresh()
    path.replace(path.with_suffix(".log.1"))
    path.write_text("second\n")
    assert log.fresh() == ["second"]
    log.close()


def test_the_tail_shows_each_log_behind_its_name(tmp_path: Path) -> None:
    (tmp_path / "kafka.log").write_text("1\n2\n3\n")
    (tmp_path / "order.log").write_text("a\n")
    out = io.StringIO()
    logs.tail(tmp_path, 2, out)
    assert out.getvalue() == "--- kafka.log\n2\n3\n--- order.log\na\n"
