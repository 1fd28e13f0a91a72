"""How the methods of single services refuse bad input: the rows of `test_every_method.py`, a file for each service."""

import importlib
import pkgutil

from tests.contract.refused import Refused


def every() -> list[Refused]:
    """The ROWS of every module of this folder."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return [row for module in modules for row in module.ROWS]
