"""Settings: a frozen dataclass per service, read from the environment once, with all errors reported at once.

    @dataclass(frozen=True, slots=True)
    class Settings:
        database_url: Credential = env("ORDER_DATABASE_URL", secret=True)
        hold_s: float = env("INVENTORY_HOLD_S", default=600.0)

    settings = read(Settings, os.environ)

A variable `X` may be given as a file instead, by `X_FILE`: the way secrets are mounted in a cluster. A `Credential` keeps the
file's path, and reads it again whenever a connection is made; any other setting is read once.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from services.chassis.credentials import Credential

T = TypeVar("T")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class SettingsError(Exception):
    """The environment does not make sense. The message has one line per mistake."""


def env(name: str, *, default: Any = dataclasses.MISSING, secret: bool = False) -> Any:
    """A field that is read from the variable `name` (or the file that `name`_FILE names). secret hides it from repr."""
    # By keyword only, so that fields with and without a default may stand in any order.
    return dataclasses.field(default=default, kw_only=True, repr=not secret, metadata={"env": name})


def read(kind: type[T], environ: Mapping[str, str], *, service: str = "") -> T:
    """The settings that the environment gives; `{SERVICE}` in a variable's name stands for the service's.

    Raises SettingsError with every missing or malformed variable.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for item in dataclasses.fields(kind):  # type: ignore[arg-type]  # callers pass dataclasses, which TypeVar cannot say
        name = item.metadata["env"].format(SERVICE=service.upper())
        try:
            text = _lookup(name, environ)
            if text is not None and Credential in (hints[item.name], *get_args(hints[item.name])):
                path = None if name in environ else Path(environ[f"{name}_FILE"])
                values[item.name] = Credential(text, path=path, service=service, variable=name)
            elif text is not None:
                values[item.name] = _convert(text, hints[item.name])
            elif item.default is dataclasses.MISSING:
                mistakes.append(f"{name} is not set")
        except (ValueError, OSError) as error:
            mistakes.append(f"{name}: {error}")
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return kind(**values)


def variables(kind: type, *, service: str = "") -> list[str]:
    """The names of the variables that `read` looks at."""
    fields = dataclasses.fields(kind)
    return [item.metadata["env"].format(SERVICE=service.upper()) for item in fields]


def check(environ: Mapping[str, str], *kinds: type, service: str = "") -> None:
    """Raise SettingsError with what is missing or malformed for all of these dataclasses together."""
    mistakes = []
    for kind in kinds:
        try:
            read(kind, environ, service=service)
        except SettingsError as error:
            mistakes.append(str(error))
    if mistakes:
        raise SettingsError("\n".join(mistakes))


def _lookup(name: str, environ: Mapping[str, str]) -> str | None:
    if name in environ:
        return environ[name]
    if f"{name}_FILE" in environ:
        return Path(environ[f"{name}_FILE"]).read_text().strip()
    return None


def _convert(text: str, kind: Any) -> Any:
    if kind is bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError(f"{text!r} is neither true nor false")
    if kind is Path:
        return Path(text)
    return kind(text)
