"""Credentials that change while a process lives: whoever connects asks for the current one each time.

A pod can outlive any number of rotations. Secrets are mounted as files that the kubelet replaces in place, so a credential that
came from a file is read again for each new connection; connections that are open stay open.
"""

import logging
from pathlib import Path

from services.chassis import metrics

_LOG = logging.getLogger(__name__)


class Credential:
    """A secret text, such as a URL with a password in it. `service` is whose it is, `variable` what configures it."""

    def __init__(self, text: str, *, path: Path | None = None, service: str = "", variable: str = "") -> None:
        self._text = text
        self._path = path
        self.service = service
        self.variable = variable

    def __repr__(self) -> str:
        """Its name; never the secret."""
        return f"<credential {self.variable}>"

    def __bool__(self) -> bool:
        """Whether there was one when it was first read."""
        return bool(self._text)

    def current(self) -> str:
        """The text as its file has it now, or always the same without a file.

        When the file cannot be read or is empty the last text is used, which the server may still accept, and an alarm is raised.
        """
        if self._path:
            try:
                self._text = self._path.read_text().strip() or self._unreadable("it is empty")
            except (OSError, ValueError) as error:
                self._unreadable(repr(error))
        return self._text

    def refused(self, cause: str) -> None:
        """The server does not accept it: raise an alarm. The next connection reads the file again."""
        self._log("login refused", cause)
        metrics.ALARMS.labels(self.service, "login_refused").inc()

    def _unreadable(self, cause: str) -> str:
        self._log("credential cannot be read; the last one is used", cause)
        metrics.ALARMS.labels(self.service, "credential_unreadable").inc()
        return self._text

    def _log(self, message: str, cause: str) -> None:
        _LOG.error(message, extra={"variable": self.variable, "service": self.service, "cause": cause})


# For settings that may do without.
NONE = Credential("")


def of(text: str | Credential) -> Credential:
    """The credential as it is, or one that never changes."""
    return text if isinstance(text, Credential) else Credential(text)
