"""Logs: one JSON object a line on standard error, with the ids of the request and the trace that wrote it."""

import contextvars
import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

# Which service, request and trace the current task works for. Interceptors and consumers set it; every line carries it.
context: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("log_context", default=MappingProxyType({}))

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def carrying(fields: Mapping[str, str]) -> Iterator[None]:
    """Let all log lines of the block carry these fields, in place of those of the context around it."""
    token = context.set(fields)
    try:
        yield
    finally:
        context.reset(token)


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: constant message, fields from `extra`, ids from the context."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a newline."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **context.get(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            line["error"] = repr(record.exc_info[1])
            line["stack"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(line, default=str)


def configure(level: str) -> None:
    """Send all logs of this process to standard error as JSON, from `level` (a name such as INFO) up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # kafka-python reports every connection at INFO.
    logging.getLogger("kafka").setLevel(logging.WARNING)
