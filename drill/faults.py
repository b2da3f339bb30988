"""A loopback HTTP proxy before the store that does to a share of the requests what networks and servers do: seeded, and counted."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

Kind = Literal["error", "unavailable", "slow", "reset", "cut", "flip"]
ANSWERS = {"error": (500, "InternalError"), "unavailable": (503, "SlowDown")}
# Of this hop alone, or set anew by it.
OWN_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "te", "upgrade"}
LARGEST = 1 << 30  # bytes of a request's body


@dataclass(frozen=True)
class Faults:
    """What happens to a share of the requests.

    Attributes:
        kinds: ``error`` (500) and ``unavailable`` (503) instead of the store's answer; ``slow``, so many seconds late; ``reset`` of the
            connection after the store did its work; ``cut``: half of the answer's body; ``flip``: one bit of the body is another.
        share: of the requests that are disturbed; a request draws once, then its kind.
    """

    kinds: tuple[Kind, ...]
    share: float
    seed: int
    seconds: float = 5.0

    def draws(self) -> "Draws":
        return Draws(self)


class Draws:
    """The fate of one request after the other: the same seed, the same sequence."""

    def __init__(self, faults: Faults) -> None:
        self._faults, self._random = faults, random.Random(faults.seed)

    def next(self) -> Kind | None:
        fate, kind = self._random.random(), self._random.choice(self._faults.kinds)
        return kind if fate < self._faults.share else None


class FaultProxy:
    """Passes requests on to ``upstream``; a context that serves from a thread of its own. ``counts`` tells what it did."""

    def __init__(self, upstream: str, faults: Faults) -> None:
        self.counts: Counter[str] = Counter()
        self._upstream, self._faults, self._draws = upstream, faults, faults.draws()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _start(self) -> int:
        self._client = ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=120))
        application = web.Application(client_max_size=LARGEST)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind = self._draws.next()
        body = await request.read()  # before any answer: the client sends all of it first
        if kind in ANSWERS:
            self.counts[kind] += 1
            return _refuse(request, *ANSWERS[kind])
        status, headers, content = await self._pass_on(request, body)
        if kind in ("cut", "flip") and (request.method == "HEAD" or len(content) < 2):
            kind = None
        self.counts[kind or "passed"] += 1
        if kind == "slow":
            await asyncio.sleep(self._faults.seconds)
        if kind == "reset":
            return _reset(request)
        if kind == "cut":
            return await _cut(request, status, headers, content)
        return _whole(request, status, headers, _flip(content) if kind == "flip" else content)

    async def _pass_on(self, request: web.Request, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of the store's answer. The host stays the client's: it is part of what was signed."""
        target = URL(self._upstream + request.raw_path, encoded=True)
        sent = [(name, value) for name, value in request.headers.items() if name.lower() not in OWN_HEADERS]
        try:
            async with self._client.request(
                request.method, target, headers=sent, data=body or None, allow_redirects=False, skip_auto_headers=("User-Agent", "Accept")
            ) as answer:
                content = await answer.read()
                received = [(name, value) for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS]
                length = answer.headers.get("Content-Length") if request.method == "HEAD" else None
                return answer.status, received + ([("Content-Length", length)] if length else []), content
        except (ClientError, TimeoutError):
            return 502, [], b""


def _whole(request: web.Request, status: int, headers: list[tuple[str, str]], content: bytes) -> web.Response:
    answer = web.Response(status=status, body=None if request.method == "HEAD" else content)
    answer.headers.extend(headers)
    return answer


def _refuse(request: web.Request, status: int, code: str) -> web.Response:
    """As S3 words it."""
    told = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>the drill says no</Message></Error>'
    return web.Response(status=status, body=None if request.method == "HEAD" else told.encode(), content_type="application/xml")


def _reset(request: web.Request) -> web.Response:
    """The connection ends with a reset, and no answer."""
    if request.transport is not None:
        opened = request.transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _cut(request: web.Request, status: int, headers: list[tuple[str, str]], content: bytes) -> web.StreamResponse:
    """The length of all of it, and half of it."""
    answer = web.StreamResponse(status=status)
    answer.headers.extend(headers)
    answer.content_length = len(content)
    await answer.prepare(request)
    await answer.write(content[: len(content) // 2])
    if request.transport is not None:
        request.transport.close()
    return answer


def _flip(content: bytes) -> bytes:
    """The bit in the middle is another."""
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    return bytes(flipped)
