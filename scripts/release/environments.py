"""The environments a release goes through, read from environments.yaml and from what the agent's environment changes."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.stack.supervise import problems

FILE = Path(__file__).with_name("environments.yaml")
CHANGEABLE = {
    "EDGE_URL": "edge_url",
    "PROMETHEUS_URL": "prometheus_url",
    "AWS_REGION": "region",
    "PAYMENT_METHOD": "payment_method",
}


@dataclass(frozen=True, slots=True)
class Budget:
    """How long the error ratio is watched, how high it may be, and how many calls make it say something.

    orders is how many synthetic orders judge a shop that is too quiet for that; 0 for none, and then it is no yes.
    """

    seconds: float
    ratio: float
    calls: int
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """Orders a second and for how long, and what must hold meanwhile. A rate of 0: no load test here."""

    rate: float
    seconds: float
    failed: float
    accept_p95_ms: float
    settle_s: float


@dataclass(frozen=True, slots=True)
class Canary:
    """The shares of the requests, in percent, that a release is given before it has them all, and how each is judged."""

    steps: tuple[int, ...]
    budget: Budget


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; environments.yaml says what the fields mean."""

    name: str
    cluster: str
    region: str
    namespace: str
    release: str
    values: tuple[str, ...]
    after: str
    edge_url: str
    prometheus_url: str
    payment_method: str
    basket: tuple[str, ...]
    canary: Canary
    budget: Budget
    load: Load


def read(name: str, given: Mapping[str, str], file: Path = FILE) -> Environment:
    """The environment of this name. Raises a StackError when there is none, or none was named."""
    known = yaml.safe_load(file.read_text())
    if name not in known:
        raise problems.StackError(f"ENV={name} is none of {', '.join(known)}: set ENV to one of them")
    block = known[name]
    block |= {field: value for variable, field in CHANGEABLE.items() if (value := _given(variable, name, given))}
    block |= {
        "values": tuple(block["values"]),
        "basket": tuple(block["basket"]),
        "canary": _canary(name, **block["canary"]),
        "budget": Budget(**block["budget"]),
        "load": Load(**block["load"]),
    }
    return Environment(name, **block)


def _canary(name: str, steps: list[int], **judged: Any) -> Canary:
    if steps != sorted({step for step in steps if 1 <= step <= 99}):
        raise problems.StackError(f"{name}: a canary's steps grow, from 1 to 99 percent: {steps}")
    return Canary(tuple(steps), Budget(**judged) if judged else Budget(0, 0, 0))


def _given(variable: str, name: str, given: Mapping[str, str]) -> str:
    """What is set for this environment alone (EDGE_URL_prod), else what is set for whichever it is (EDGE_URL)."""
    return given.get(f"{variable}_{name}") or given.get(variable, "")


def load_wanted(usual: Load, given: Mapping[str, str]) -> Load:
    """The load test's numbers, changed by LOAD_RATE, LOAD_SECONDS, LOAD_FAILED, LOAD_ACCEPT_P95_MS, LOAD_SETTLE_S."""
    changed = {}
    for field in dataclasses.fields(Load):
        variable = f"LOAD_{field.name.upper()}"
        if text := given.get(variable):
            try:
                changed[field.name] = float(text)
            except ValueError:
                raise problems.StackError(f"{variable}={text} is no number") from None
    return dataclasses.replace(usual, **changed)
