import os
from pathlib import Path

import pytest

from scripts.stack import layout
from scripts.stack.supervise import exclusive, problems


def test_a_second_command_on_a_stack_is_told_who_is_at_work(tmp_path: Path) -> None:
    stack = layout.Stack(root=tmp_path)
    with exclusive.exclusive(stack.folder), pytest.raises(problems.StackError, match=f"pid {os.getpid()}"):
        exclusive.exclusive(stack.folder).__enter__()
    with exclusive.exclusive(stack.folder):
        pass


def test_two_stacks_do_not_wait_for_each_other(tmp_path: Path) -> None:
    one, other = layout.Stack("one", root=tmp_path), layout.Stack("other", root=tmp_path)
    with exclusive.exclusive(one.folder), exclusive.exclusive(other.folder):
        pass
