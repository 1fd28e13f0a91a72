"""Taking a stack down: the edge first, what keeps data last, each asked to finish and only then killed."""

import concurrent.futures
import shutil

from scripts.stack import layout, plan
from scripts.stack.servers import edge
from scripts.stack.supervise import processes, progress

# PostgreSQL writes its checkpoint, Kafka closes its logs, a service hands back what it has in hand.
GRACE_S = 25.0


def down(stack: layout.Stack, report: progress.Progress) -> None:
    """Stop every process of the stack; whatever is not recorded any more is found and stopped too."""
    known = processes.Processes(stack.folder)
    stop(stack, known.names(), report)
    for name, pids in known.leftovers().items():
        report.say(name, f"stopping a leftover (pid {', '.join(map(str, pids))})")
        processes.end_pids(pids)


def stop(stack: layout.Stack, names: tuple[str, ...], report: progress.Progress) -> None:
    """Stop the named processes in order, those of a group at the same time."""
    for group in plan.ending_order(names):
        with concurrent.futures.ThreadPoolExecutor(len(group)) as pool:
            list(pool.map(lambda name: _stop(stack, name, report), group))


def clean(stack: layout.Stack, report: progress.Progress) -> None:
    """Stop the stack and remove everything it stored. Downloads stay."""
    down(stack, report)
    shutil.rmtree(stack.folder, ignore_errors=True)
    if stack.name == layout.MAIN:
        (stack.root / ".souk" / "env").unlink(missing_ok=True)
    report.say(stack.name, "data removed")


def _stop(stack: layout.Stack, name: str, report: progress.Progress) -> None:
    known = processes.Processes(stack.folder)
    record = known.running(name)
    if record:
        if name == edge.NAME:
            edge.drain(stack)
        if processes.stop(record, grace=GRACE_S):
            report.say(name, "stopped")
        else:
            report.say(name, f"did not stop within {GRACE_S:.0f} s: killed (log: {record.log})")
    known.forget(name)
