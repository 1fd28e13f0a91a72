"""Ports that tests draw: none is given to two servers that may start at the same time."""

from tests.support import ports


def test_no_port_is_handed_out_twice_in_a_row_of_hundreds() -> None:
    drawn = [ports.free() for _ in range(400)]
    assert len(set(drawn)) == len(drawn)


def test_the_processes_of_a_test_run_share_no_port_and_leave_none_out() -> None:
    shares = [
        ports.share({"PYTEST_XDIST_WORKER": f"gw{number}", "PYTEST_XDIST_WORKER_COUNT": "3"}) for number in range(3)
    ]
    assert sorted(port for share in shares for port in share) == sorted(ports.share({}))
