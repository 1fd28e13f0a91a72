"""Files go through the edge as they are: up to a limit of their own, in pieces, unread and unbuffered."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest

from services.chassis.rpc import server
from souk.catalog.v1 import bulk_pb2
from tests.integration.edge.conftest import MAX_REQUEST_BYTES, Edge
from tests.integration.edge.upstream import reason

UPLOAD = "/api/v1/products/import"
MOST_BYTES = 16 * 1024 * 1024
LINE = b'TEA,"no ""JSON""",\'\xc3\xa9\n'


def until(happened: Callable[[], bool]) -> None:
    """Wait for what happens by itself."""
    late = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < late
        time.sleep(0.01)


def lines(answer: httpx.Response) -> list[dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return [httpx.Response(200, text=line).json() for line in answer.text.splitlines()]


def test_a_file_larger_than_a_request_arrives_whole_and_in_pieces(edge: Edge, caller: httpx.Client) -> None:
    file = LINE * (10 * MAX_REQUEST_BYTES // len(LINE) * 10)

    answer = caller.post(UPLOAD, content=file, params={"dry_run": "true"}, headers={"content-type": "text/csv"})

    [summary, rows] = lines(answer)
    assert summary["summary"]["rows"] == len(file)  # type: ignore[index]
    assert rows["rows"]
    pieces = edge.upstream.uploaded
    assert b"".join(piece.file.data for piece in pieces) == file
    assert (pieces[0].dry_run, pieces[0].file.content_type) == (True, "text/csv")
    assert len(pieces) > 1
    assert max(piece.ByteSize() for piece in pieces) < server.MOST_MESSAGE_BYTES


def test_a_file_may_come_without_saying_its_length(edge: Edge, caller: httpx.Client) -> None:
    answer = caller.post(UPLOAD, content=iter([LINE] * 10_000), params={"format": "CSV"})

    assert lines(answer)[0]["summary"]["rows"] == 10_000 * len(LINE)  # type: ignore[index]
    assert edge.upstream.uploaded[0].format == bulk_pb2.CSV


def test_a_file_that_says_it_is_too_large_is_413(edge: Edge, caller: httpx.Client) -> None:
    before = edge.upstream.calls["ImportProducts"]

    # It is refused before it is sent: who sends it all the same may find the connection closed.
    with closing(http.client.HTTPConnection(edge.address, timeout=10)) as kept:
        kept.putrequest("POST", UPLOAD)
        for name, value in {**caller.headers, "content-length": str(MOST_BYTES + 1)}.items():
            if name not in ("host", "connection", "accept-encoding"):
                kept.putheader(name, value)
        kept.endheaders()
        answer = kept.getresponse()
        assert (answer.status, reason(json.loads(answer.read()))) == (413, "REQUEST_TOO_LARGE")
    assert edge.upstream.calls["ImportProducts"] == before


@pytest.mark.parametrize(
    ("header", "sent"),
    [(("content-length", "2000000"), LINE * 50_000), (("transfer-encoding", "chunked"), b"4\r\nsku\n\r\n")],
)
def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(
    edge: Edge, caller: httpx.Client, header: tuple[str, str], sent: bytes
) -> None:
    edge.upstream.uploaded = []
    before = edge.upstream.cancelled["ImportProducts"], edge.upstream.calls["ImportProducts"]
    with closing(http.client.HTTPConnection(edge.address, timeout=10)) as kept:
        kept.putrequest("POST", UPLOAD)
        kept.putheader("authorization", caller.headers["authorization"])
        kept.putheader(*header)
        kept.endheaders()
        kept.send(sent)
        # It is on its way to the service before it breaks off.
        until(lambda: edge.upstream.calls["ImportProducts"] > before[1])
    until(lambda: edge.upstream.cancelled["ImportProducts"] > before[0])
    assert not edge.upstream.uploaded


@pytest.mark.parametrize("params", [{"no_such_word": "1"}, {"format": "EXCEL"}, {"dry_run": "perhaps"}])
def test_what_is_said_beside_a_file_is_checked(caller: httpx.Client, params: dict[str, str]) -> None:
    answer = caller.post(UPLOAD, content=LINE, params=params)

    assert (answer.status_code, reason(answer.json())) == (400, "REQUEST_MALFORMED")


def test_a_file_of_nobody_is_401(stranger: httpx.Client) -> None:
    assert stranger.post(UPLOAD, content=LINE).status_code == 401


def test_an_export_is_the_file_itself(caller: httpx.Client) -> None:
    answer = caller.get("/api/v1/products/export")

    assert (answer.text, answer.headers["content-type"]) == ("sku\nA\nB\n", "text/csv; charset=utf-8")
    assert (answer.headers["x-products"], answer.headers["cache-control"]) == ("2", "no-store")
