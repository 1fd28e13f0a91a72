"""The command line of the local stack; `make` calls it."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from scripts.stack import control, down, guide, layout, logs, settings, status, suite, up
from scripts.stack.supervise import component, exclusive, problems, progress

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says. Answers with a process exit code; a problem is one line on stderr."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _COMMANDS[options.command](options)
    except problems.StackError as problem:
        print(f"{options.stack}: {problem}", file=sys.stderr)
    except BrokenPipeError:
        # Whoever read our output (`make logs | head`) has seen enough; Python must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if not problems.is_disk_full(error):
            raise
        print(f"{options.stack}: the disk is full ({error.filename}): free some space and run again", file=sys.stderr)
    except (KeyboardInterrupt, component.Cancelled):
        return INTERRUPTED
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.stack", description="The local stack of Souk.")
    parser.add_argument("--stack", default=layout.MAIN, help="which stack (main without it)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("run", "bring the stack up, load sample data, place the first order"),
        ("up", "bring the stack up and load sample data"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--together", action="store_true", help="all services in one process")
        command.add_argument("--bare", action="store_true", help="without sample data")
    commands.add_parser("down", help="stop it")
    clean = commands.add_parser("clean", help="stop it and remove its data")
    clean.add_argument("--every", action="store_true", help="every stack that was ever started")
    commands.add_parser("status", help="what runs, and how")
    logging = commands.add_parser("logs", help="follow the logs")
    logging.add_argument("--tail", type=int, metavar="LINES", help="print the last lines of each log and end")
    logging.add_argument("processes", nargs="*")
    tests = commands.add_parser("test", help="run pytest against this stack, then stop it")
    tests.add_argument("--together", action="store_true", help="all services in one process")
    tests.add_argument("--junit", default="", metavar="FOLDER", help="write the results there as JUnit XML")
    tests.add_argument("--coverage", default="", metavar="FOLDER", help="measure coverage, and write it there as XML")
    tests.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    for name in ("start", "stop", "restart", "kill"):
        commands.add_parser(name, help=f"{name} processes by name").add_argument("processes", nargs="+")
    return parser


def _up(options: argparse.Namespace) -> int:
    report = progress.Progress()
    stack = layout.chosen(options.stack, os.environ, together=options.together)
    with exclusive.exclusive(stack.folder):
        run = up.Run(settings.read(stack, os.environ), report)
        up.up(run)
        if not options.bare:
            up.load_sample_data(run)
        if options.command == "run":
            up.place_first_order(run)
            print(guide.text(run.chosen, report.seconds))
        else:
            report.say(stack.name, f"up; its settings are in {stack.env_file}")
    return 0


def _test(options: argparse.Namespace) -> int:
    stack = layout.chosen(options.stack, os.environ, together=options.together)
    with exclusive.exclusive(stack.folder):
        chosen = up.Run(settings.read(stack, os.environ), progress.Progress())
        return suite.run(chosen, options.pytest, suite.Reports(options.junit, options.coverage))


def _down(options: argparse.Namespace) -> int:
    stack = layout.saved(options.stack)
    with exclusive.exclusive(stack.folder):
        down.down(stack, progress.Progress())
    return 0


def _clean(options: argparse.Namespace) -> int:
    names = layout.started() if options.every else (options.stack,)
    for name in names:
        stack = layout.saved(name)
        with exclusive.exclusive(stack.folder):
            down.clean(stack, progress.Progress())
    return 0


def _status(options: argparse.Namespace) -> int:
    stack = layout.saved(options.stack)
    if not (stack.folder / "stack.json").exists():
        raise problems.StackError("this stack was never started: `make run` does")
    found = status.lines(settings.read(stack, os.environ, resume=True))
    print(status.render(found))
    return 0 if all(line.well for line in found) else 1


def _logs(options: argparse.Namespace) -> int:
    folder = layout.saved(options.stack).folder / "logs"
    if options.tail:
        logs.tail(folder, options.tail)
    else:
        logs.follow(folder, options.processes)
    return 0


def _control(options: argparse.Namespace) -> int:
    stack = layout.saved(options.stack)
    with exclusive.exclusive(stack.folder):
        stacked = control.Stacked(options.stack, progress.Progress())
        for process in options.processes:
            getattr(stacked, options.command)(process)
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


_COMMANDS = {
    "run": _up,
    "up": _up,
    "test": _test,
    "down": _down,
    "clean": _clean,
    "status": _status,
    "logs": _logs,
    **dict.fromkeys(("start", "stop", "restart", "kill"), _control),
}

if __name__ == "__main__":
    sys.exit(main())
