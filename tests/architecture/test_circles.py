"""No circle of imports anywhere: a file can be read, and moved, after those it is built on."""

from pathlib import Path

from tests.architecture import sources


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert sources.circle(sources.graph(sources.modules())) == []


def test_an_import_inside_a_function_counts() -> None:
    assert sources.circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == ["a", "b", "c"]


def test_where_in_a_file_an_import_stands_makes_no_difference(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("import second\n")
    second.write_text("def later():\n    from first import thing\n")
    assert sources.circle(sources.graph({"first": first, "second": second})) == ["first", "second"]
