import errno
from pathlib import Path

import pytest

from scripts.stack.supervise import problems, sizes


def test_a_disk_without_room_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(problems.StackError) as raised:
        problems.require_space(tmp_path / "not" / "there" / "yet", 2 * sizes.GIB, free=300 * sizes.MIB)
    assert "300 MiB free and 2.0 GiB are needed" in str(raised.value)
    assert not (tmp_path / "not").exists()


def test_a_disk_with_room_is_no_problem(tmp_path: Path) -> None:
    problems.require_space(tmp_path, 1)


def test_a_full_disk_is_told_from_other_errors() -> None:
    assert problems.is_disk_full(OSError(errno.ENOSPC, "No space left on device"))
    assert not problems.is_disk_full(OSError(errno.ENOENT, "No such file"))
