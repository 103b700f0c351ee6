"""Braze's ``/users/track`` at full speed: its limits, headers and answers, the state in memory.

The sandbox's double keeps its state in SQLite and takes about a hundred requests a second; this one
takes the thousand that Braze allows, and leaves the processor to the one who is measured: an HTTP
server of its own, which reads and answers and, as Braze does, processes later.

    python -m benchmarks.doubles.braze --port 8900 --rate 3000 --window 3

``GET /counts`` tells what it took, ``GET /digest`` a digest of all profiles that does not depend on
the order of requests.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from math import ceil
from typing import Any

import orjson

OBJECTS, BODY_BYTES = 75, 4_000_000
HEAD_END, PIECE = b"\r\n\r\n", 1 << 17
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
RATE = (
    "X-RateLimit-Limit: {limit}\r\nX-RateLimit-Remaining: {left}\r\nX-RateLimit-Reset: {reset}\r\n"
)
ID, EXISTING_ONLY = "external_id", "_update_existing_only"


class Braze:
    """``rate`` requests in windows of ``window_s`` that begin with their first request."""

    def __init__(self, rate: int, window_s: float) -> None:
        self.rate = rate
        self._window_s = window_s
        self._lock = threading.Lock()
        self._window_ends = 0.0
        self._left = rate
        self._profiles: dict[str, bytes] = {}
        self._queue: list[bytes] = []
        self.counts: Counter[str] = Counter()

    def take(self) -> tuple[bool, int, float]:
        """(allowed, requests left, when the window ends)."""
        with self._lock:
            now = time.time()
            if now >= self._window_ends:
                self._window_ends, self._left = now + self._window_s, self.rate
            self.counts["requests"] += 1
            if self._left == 0:
                self.counts["refused"] += 1
                return False, 0, self._window_ends
            self._left -= 1
            return True, self._left, self._window_ends

    def track(self, body: bytes) -> tuple[str, dict[str, Any]]:
        """(status line, answer). As with Braze, what was accepted is processed later."""
        with self._lock:
            self._queue.append(body)
        return "201 Created", {"message": "success"}

    def process(self) -> None:
        """Everything in the queue. Raises ValueError for a request that Braze would refuse."""
        profiles = self._profiles
        for body in self._queue:
            objects = orjson.loads(body)["attributes"]
            if len(body) > BODY_BYTES or not 0 < len(objects) <= OBJECTS:
                raise ValueError("a request is larger than Braze takes")
            self.counts["objects"] += len(objects)
            for each in objects:
                key = each.pop(ID)
                each.pop(EXISTING_ONLY, None)
                self.counts["data_points"] += len(each)
                if key in profiles:
                    state = orjson.loads(profiles[key])
                    state.update(each)
                    each = {name: value for name, value in state.items() if value is not None}
                profiles[key] = orjson.dumps(each, option=orjson.OPT_SORT_KEYS)
        self._queue.clear()

    def digest(self) -> dict[str, Any]:
        self.process()
        held = {key: state for key, state in self._profiles.items() if state != b"{}"}
        return {"profiles": len(held), "digest": digest(held.items())}


def digest(profiles: Iterable[tuple[str, bytes]]) -> str:
    """Hexadecimal; the sum of the profiles' own digests, so that their order does not matter."""
    total = 0
    for key, state in profiles:
        own = hashlib.blake2b(state, digest_size=16, key=key.encode()[:64]).digest()
        total += int.from_bytes(own)
    return f"{total % 2**128:032x}"


def serve(braze: Braze, port: int) -> None:
    """A thread a connection, until the process ends."""
    with socket.create_server(("127.0.0.1", port), backlog=256) as server:
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=converse, args=(braze, connection), daemon=True).start()


def converse(braze: Braze, connection: socket.socket) -> None:
    """Requests of one connection, one after the other."""
    received = b""
    with connection:
        while True:
            while HEAD_END not in received:
                piece = connection.recv(PIECE)
                if not piece:
                    return
                received += piece
            head, _, received = received.partition(HEAD_END)
            found = LENGTH.search(head)
            length = int(found[1]) if found else 0
            pieces, missing = [received], length - len(received)
            while missing > 0:
                piece = connection.recv(PIECE)
                if not piece:
                    return
                pieces.append(piece)
                missing -= len(piece)
            body = b"".join(pieces)
            connection.sendall(answer(braze, head.split(b" ", 2)[1], body[:length]))
            received = body[length:]


def answer(braze: Braze, path: bytes, body: bytes) -> bytes:
    """The whole answer to a request."""
    more = ""
    status: str
    content: dict[str, Any]
    if path == b"/users/track":
        allowed, left, ends = braze.take()
        more = RATE.format(limit=braze.rate, left=left, reset=ceil(ends))
        status, content = "429 Too Many Requests", {"message": "Rate limit exceeded"}
        if allowed:
            status, content = braze.track(body)
    elif path == b"/counts":
        status, content = "200 OK", dict(braze.counts)
    elif path == b"/digest":
        status, content = "200 OK", braze.digest()
    else:
        status, content = "404 Not Found", {"message": "not found"}
    text = orjson.dumps(content)
    head = f"HTTP/1.1 {status}\r\n{more}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=int, default=3_000)
    parser.add_argument("--window", type=float, default=3.0, help="seconds")
    arguments = parser.parse_args()
    serve(Braze(arguments.rate, arguments.window), arguments.port)


if __name__ == "__main__":
    main()
