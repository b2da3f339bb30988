import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from drill.faults import FaultProxy, Faults, Kind

BODY = bytes(range(256)) * 8


class Upstream(BaseHTTPRequestHandler):
    """Answers with what it was asked: the method, path and host in headers, the body that came, or ``BODY``."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0"))) or BODY
        self.send_response(206)
        for name, value in {"X-Asked": f"{self.command} {self.path}", "X-Host": self.headers["Host"], "Content-Length": len(sent)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    do_GET = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *told: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask(endpoint: str, method: str = "GET", path: str = "/b/k", body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    try:
        connection.request(method, path, body, {"Host": "bucket.example"})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def always(kind: Kind, seconds: float = 0.0) -> Faults:
    return Faults((kind,), 1.0, 1, seconds)


def test_undisturbed_requests_pass_with_method_path_host_and_body(upstream: str) -> None:
    with FaultProxy(upstream, Faults(("error",), 0.0, 1)) as proxy:
        for method, sent in (("GET", None), ("PUT", b"x" * 100_000), ("DELETE", None)):
            status, headers, body = ask(proxy.endpoint, method, "/b/k%3A1?list-type=2&prefix=a%2Fb", sent)
            assert (status, body) == (206, sent or BODY)
            assert headers["X-Asked"] == f"{method} /b/k%3A1?list-type=2&prefix=a%2Fb" and headers["X-Host"] == "bucket.example"
        status, headers, body = ask(proxy.endpoint, "HEAD")
        assert (status, headers["Content-Length"], body) == (206, str(len(BODY)), b"")
        assert proxy.counts == {"passed": 4}


@pytest.mark.parametrize(("kind", "status", "code"), [("error", 500, b"InternalError"), ("unavailable", 503, b"SlowDown")])
def test_a_refusal_is_worded_as_the_protocol_does(kind: Kind, status: int, code: bytes, upstream: str) -> None:
    with FaultProxy(upstream, always(kind)) as proxy:
        found, _, body = ask(proxy.endpoint)
        assert found == status and code in body and proxy.counts == {kind: 1}


def test_a_cut_body_promises_all_and_sends_half(upstream: str) -> None:
    with FaultProxy(upstream, always("cut")) as proxy, pytest.raises(http.client.IncompleteRead) as cut:
        ask(proxy.endpoint)
    assert cut.value.partial == BODY[: len(BODY) // 2]


def test_a_flipped_body_differs_in_one_bit(upstream: str) -> None:
    with FaultProxy(upstream, always("flip")) as proxy:
        _, _, body = ask(proxy.endpoint)
    assert sum((one ^ other).bit_count() for one, other in zip(body, BODY, strict=True)) == 1


def test_a_reset_connection_gives_no_answer(upstream: str) -> None:
    with FaultProxy(upstream, always("reset")) as proxy, pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(proxy.endpoint)


def test_a_slow_answer_is_whole(upstream: str) -> None:
    with FaultProxy(upstream, always("slow", 0.1)) as proxy:
        assert ask(proxy.endpoint)[2] == BODY and proxy.counts == {"slow": 1}


def test_a_store_that_is_away_is_a_bad_gateway() -> None:
    with FaultProxy("http://127.0.0.1:1", Faults(("error",), 0.0, 1)) as proxy:
        assert ask(proxy.endpoint)[0] == 502


def test_the_same_seed_draws_the_same_fates_and_their_share() -> None:
    faults = Faults(("error", "reset"), 0.25, 7)
    one, other = faults.draws(), faults.draws()
    fates = [one.next() for _ in range(4000)]
    assert fates == [other.next() for _ in range(4000)]
    assert 0.22 < sum(fate is not None for fate in fates) / 4000 < 0.28 and {*fates} == {None, "error", "reset"}
    elsewhere = Faults(("error", "reset"), 0.25, 8).draws()
    assert fates != [elsewhere.next() for _ in range(4000)]
