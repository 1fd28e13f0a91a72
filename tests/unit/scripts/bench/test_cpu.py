import os
import subprocess
import sys
import time

from scripts.bench import cpu

# A child burns CPU and ends before its parent is asked.
PARENT = """
import subprocess, sys, time
burn = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", burn], check=True)
print("done", flush=True)
sys.stdin.read()
"""


def test_the_time_of_children_that_have_ended_counts() -> None:
    with subprocess.Popen(  # noqa: S603 - a program of this file
        (sys.executable, "-c", PARENT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "done\n"
        assert 0.3 <= cpu.seconds({"parent": parent.pid})["parent"] < 3
        parent.communicate("")


def test_the_time_of_living_descendants_counts() -> None:
    burning = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ntime.sleep(60)"
    command = (sys.executable, "-c", burning)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - as above
        assert child.stdout is not None
        before = cpu.seconds({"we": os.getpid()})
        assert child.stdout.readline() == "done\n"
        assert cpu.spent(before, cpu.seconds({"we": os.getpid()}))["we"] >= 0.2
        child.kill()


def test_what_is_spent_is_between_two_readings() -> None:
    before, machine = cpu.seconds({"we": os.getpid()}), cpu.busy()
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    assert 0.1 <= cpu.spent(before, cpu.seconds({"we": os.getpid()}))["we"] < 2
    assert cpu.busy() - machine >= 0.1


def test_a_process_that_is_gone_has_used_nothing_more() -> None:
    with subprocess.Popen((sys.executable, "-c", "")) as ended:
        ended.wait()
    assert cpu.seconds({"ended": ended.pid}) == {"ended": 0.0}
    assert cpu.spent({"ended": 1.0}, {}) == {}
