"""Bringing a stack up: servers at once, then databases and topics, then services, then the data of a shop.

Every step looks at what is there and does only what is missing, so a run that was cut short, or a stack of which anything
was killed, is completed by the next run.
"""

import concurrent.futures
import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.operate import storage
from scripts.operate.mesh_certificates import authority, folders, issuing
from scripts.stack import down, external, layout, plan, settings
from scripts.stack.servers import edge, kafka, mesh, postgres
from scripts.stack.supervise import component, fingerprints, problems, processes, progress, sizes

SPACE_NEEDED = 600 * sizes.MIB


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `up`: for which stack, where it reports, and what it has started so far."""

    chosen: settings.Settings
    report: progress.Progress
    cancelled: threading.Event = field(default_factory=threading.Event)
    started: list[str] = field(default_factory=list)

    @property
    def running(self) -> processes.Processes:
        """The stack's processes."""
        return processes.Processes(self.chosen.stack.folder)

    @property
    def components(self) -> plan.Plan:
        """The stack's components."""
        return plan.Plan(self.chosen, self.report, self.cancelled)

    def ensure(self, item: component.Component) -> None:
        """Bring one component up."""
        component.Starter(self.running, self.report, self.cancelled, self.started).ensure(item)

    def bring_up(self, maker: plan.Maker) -> None:
        """Make one component, which may take a moment, and bring it up."""
        self.ensure(maker())


def up(run: Run) -> None:
    """Bring the stack up. Raises a StackError, and what is up by then stays up; interrupted, it stops what it started."""
    problems.require_space(run.chosen.stack.folder, SPACE_NEEDED)
    external.require(run.chosen)
    try:
        run.chosen.stack.save()
        _close_folders(run.chosen.stack.folder)
        settings.write(run.chosen)
        if run.chosen.stack.mesh_tls:
            wanted = dict.fromkeys(issuing.identities([]), ())
            issuing.ensure(folders.Folders(run.chosen.stack.tls), wanted, authority.now())
        _end_what_does_not_belong(run)
        services = run.components.services()
        fresh = _any_to_start(run, services)
        beside = [
            functools.partial(edge.generate, run.chosen),
            *([functools.partial(compile_once, run)] if fresh else []),
        ]
        _at_once(run, [*_servers(run, fresh=fresh), *beside])
        # The edge is well when the services behind it are, so it waits together with them.
        _at_once(run, [functools.partial(run.ensure, item) for item in (*services, edge.build(run.chosen))])
    except (KeyboardInterrupt, component.Cancelled):
        run.cancelled.set()
        run.report.say(run.chosen.stack.name, "interrupted: stopping what this run has started")
        down.stop(run.chosen.stack, tuple(run.started), run.report)
        raise


def _close_folders(folder: Path) -> None:
    """Close what an earlier release left open to others. PostgreSQL's data is its own user's, and closed by it."""
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith(postgres.NAME):
            storage.private_folder(path)


def load_sample_data(run: Run) -> None:
    """Fill the shop, once for these databases. Raises a StackError when that fails."""
    urls = {name: value for name, value in settings.exported(run.chosen).items() if name.endswith("_DATABASE_URL")}
    wanted = fingerprints.of(("sample data", "with a vendor"), urls)
    done = run.chosen.stack.folder / "sample-data"
    if done.exists() and done.read_text() == wanted:
        return
    run.report.say("sample data", "loading")
    if _script(run, "scripts.sample_data"):
        raise problems.StackError("the sample data could not be loaded (see above): run again when that is mended")
    storage.write(done, wanted)


def place_first_order(run: Run) -> None:
    """Place an order as a new customer would. Raises a StackError unless it is delivered."""
    run.report.say("first order", f"placing it at {run.chosen.edge_url}")
    if _script(run, "scripts.stack.first_order"):
        raise problems.StackError(
            "the first order was not delivered (see above); `make status` and `make logs` tell more"
        )


def _servers(run: Run, *, fresh: bool) -> list[Callable[[], None]]:
    """What is brought up side by side; the databases and the topics follow their server."""
    makers = run.components.servers()
    tasks: list[Callable[[], None]] = [
        functools.partial(run.bring_up, maker)
        for name, maker in makers.items()
        if name not in (postgres.NAME, kafka.NAME)
    ]

    def databases() -> None:
        if maker := makers.get(postgres.NAME):
            run.bring_up(maker)
            postgres.create_databases(run.chosen)
        if fresh:
            _services_program(run, "migrate", part="databases")

    def topics() -> None:
        if maker := makers.get(kafka.NAME):
            run.bring_up(maker)
        if fresh:
            _services_program(run, "topics", part="topics")

    return [topics, databases, *tasks]


def _at_once(run: Run, tasks: Sequence[Callable[[], None]]) -> None:
    """Run the tasks side by side. The first that fails ends the waiting of the others, and its error is raised."""
    with concurrent.futures.ThreadPoolExecutor(len(tasks)) as pool:
        pending = [pool.submit(task) for task in tasks]
        try:
            for done in concurrent.futures.as_completed(pending):
                done.result()
        except BaseException:
            run.cancelled.set()
            raise


def _end_what_does_not_belong(run: Run) -> None:
    """Processes whose record was lost, and those of the other mode (one process per service, or all in one)."""
    for name, pids in run.running.leftovers().items():
        run.report.say(name, f"ending a leftover of an earlier run (pid {', '.join(map(str, pids))})")
        processes.end_pids(pids)
    others = tuple(name for name in run.running.names() if name not in plan.names(run.chosen))
    if others:
        down.stop(run.chosen.stack, others, run.report)


def _any_to_start(run: Run, services: Sequence[component.Component]) -> bool:
    records = [(run.running.running(item.name), item) for item in services]
    return any(record is None or record.fingerprint != item.fingerprint for record, item in records)


def compile_once(run: Run) -> None:
    """Compile once what all services import, while the servers start: started at once, each of them would do so by itself.

    Not again for the same packages: what changed of the services' own code, they compile. What fails is theirs to tell.
    """
    done = run.chosen.stack.cache / "compiled"
    wanted = fingerprints.of((sys.version,), {}, [layout.ROOT / "requirements.lock"])
    if run.chosen.stack.together or sys.dont_write_bytecode or (done.exists() and done.read_text() == wanted):
        return
    program = mesh.importing(run.chosen)
    made = subprocess.run(
        program.command, cwd=program.cwd, env=program.environment, capture_output=True, text=True, check=False
    )
    if not made.returncode:
        storage.write(done, wanted)


def _services_program(run: Run, *arguments: str, part: str) -> None:
    program = mesh.program(run.chosen, *arguments)
    done = subprocess.run(
        program.command, cwd=program.cwd, env=program.environment, capture_output=True, text=True, check=False
    )
    log = run.running.log(part)
    storage.write(log, done.stdout + done.stderr)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        raise problems.StackError(f"{part}: `python -m services {' '.join(arguments)}` failed: {words[-1]}; log: {log}")
    run.report.say(part, "up to date")


def _script(run: Run, module: str) -> int:
    environment = settings.tool_environment(run.chosen)
    command = (sys.executable, "-m", module)
    return subprocess.run(command, cwd=layout.ROOT, env=environment, check=False).returncode
