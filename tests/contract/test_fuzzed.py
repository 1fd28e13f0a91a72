"""Whatever is sent to whichever route, nobody gets a 500, waits, or is answered in another shape than the documented one.

The same requests in every run: what Hypothesis makes of each route's own fields, with values of all kinds in them. The paths name
nothing that exists, so that nothing is made or changed that other tests would see.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.contract import Field, HttpRule, Message, Method
from services.chassis import clock, ids
from tests.contract.test_access import EXPOSED, contracted
from tests.contract.world import refusal
from tests.support import shop

EXAMPLES = 25
# A UUID, which is no slug and no warehouse; what no path may hold; and what may stand there and means nothing.
PATHS = (
    "0190A000-0000-7000-8000-000000000000",
    "NONE",
    "%ff",
    "%00",
    "%5c",
    "%F0%9F%A6%8A",
    "X" * 300,
    "%20",
    "A;B=C",
    "..",
)
HEADERS: tuple[Mapping[str, str], ...] = (
    *({}, {}, {}),
    {"x*y": "a name that gRPC does not know"},
    {"x-picture-bin": "not base64"},
    {"grpc-encoding": "unheard-of"},
    {"idempotency-key": "k" * 200},
    {"content-type": "text/html"},
    {"accept": "text/html"},
    {"if-none-match": 'W/"'},
)
TEXTS = st.sampled_from(
    ["", "\0", "\ud800", "é🦊", "-1", "1e400", "NaN", "x" * 2000, "0190a000-0000-7000-8000-00000000000A"]
)
NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30]) | st.floats() | st.integers()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
MOST_DEPTH = 3
INTEGERS = ("int32", "int64", "uint32", "uint64")
ROUTES = [pytest.param(method, rule, id=f"{rule.verb} {rule.path}") for method in EXPOSED for rule in method.http]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: where to, and with what."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@pytest.fixture(scope="module")
def admin(environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Who may call everything, so that nothing is stopped at the door."""
    token = shop.Shop(environment, AsyncExitStack()).token(ids.new_id(clock.utc_now()), "ADMIN", "VENDOR", "CUSTOMER")
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=environment["EDGE_URL"], headers=headers, timeout=10, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(("method", "rule"), ROUTES)
@settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_answer_has_its_status_and_the_one_shape(
    admin: httpx.Client, method: Method, rule: HttpRule, data: st.DataObject
) -> None:
    sent = data.draw(requests(method, rule))

    answer = admin.request(rule.verb, sent.path, content=sent.body, headers=sent.headers)

    assert answer.status_code < 500, answer.text
    # What is answered with a field alone is a file.
    expected = "text/csv; charset=utf-8" if answer.status_code == 200 and rule.response_body else "application/json"
    assert answer.status_code == 304 or answer.headers["content-type"] == expected
    if answer.status_code >= 400:
        refusal(answer)


@st.composite
def requests(draw: st.DrawFn, method: Method, rule: HttpRule) -> Sent:
    """A request to this route with something of all kinds in its path, query, body and headers."""
    path = rule.path
    for name in rule.path_fields:
        path = path.replace(f"{{{name}}}", draw(st.sampled_from(PATHS)))
    message = contracted().messages[method.request]
    if rule.body:
        body = json.dumps(draw(_object(message) | JSON)).encode() if draw(st.integers(0, 4)) else draw(st.binary())
        return Sent(path, body, draw(st.sampled_from(HEADERS)))
    names = st.sampled_from([field.name for field in message.fields] + ["no_such_word"])
    query = draw(st.dictionaries(names, st.binary(max_size=9) | TEXTS.map(_utf8), max_size=3))
    text = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in query.items())
    return Sent(f"{path}?{text}", b"", draw(st.sampled_from(HEADERS)))


def _object(message: Message, depth: int = 0) -> st.SearchStrategy[Any]:
    """An object with some of the message's fields: what belongs there, and what does not."""
    return st.fixed_dictionaries({}, optional={field.name: _value(field, depth) | JSON for field in message.fields})


def _value(field: Field, depth: int) -> st.SearchStrategy[Any]:
    held = contracted().messages.get(field.type_name)
    scalar = NUMBERS if field.type in INTEGERS else TEXTS | st.text(max_size=20)
    one = _object(held, depth + 1) if held and depth < MOST_DEPTH else scalar
    return st.lists(one, max_size=3) if field.repeated else one


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
