"""A Chromium without a window, driven over its debugging pipe: no library between us and it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ANSWER_S = 60.0


class ChromeError(Exception):
    """No browser, or one that does not do as it is told; the text says what to do."""


def executable() -> str:
    """Where the browser is: ``CHROME``, else by its usual names. Raises ChromeError."""
    for name in (os.environ.get("CHROME", ""), *NAMES):
        if name and (found := shutil.which(name)):
            return found
    raise ChromeError(
        "no Chromium found: install it (Debian: apt install chromium), or set CHROME to its path"
    )


class Chrome:
    """One browser with one tab. Not thread-safe."""

    def __init__(self, process: subprocess.Popen[bytes], commands: int, answers: int) -> None:
        self._process = process
        self._commands = commands
        self._answers = answers
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        found = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol and its result. Raises ChromeError."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + ANSWER_S
        while True:
            found = self._read(until)
            if found.get("id") == self._number:
                if "error" in found:
                    raise ChromeError(f"{method}: {found['error'].get('message')}")
                return dict(found["result"])
            self.events.append(found)

    def wait(self, method: str, within_s: float = 30.0) -> dict[str, Any]:
        """The next event of this name since ``events`` was emptied. Raises ChromeError."""
        until = time.monotonic() + within_s
        while True:
            for event in self.events:
                if event.get("method") == method:
                    return dict(event["params"])
            self.events.append(self._read(until))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited. Raises ChromeError."""
        found = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in found:
            raise ChromeError(f"script: {found['exceptionDetails'].get('text')}")
        return found["result"].get("value")

    def open(self, url: str, within_s: float = 30.0) -> None:
        """Opens the address and waits for the load event. Raises ChromeError."""
        self.events.clear()
        problem = self.ask("Page.navigate", url=url).get("errorText")
        if problem:
            raise ChromeError(f"{url}: {problem}")
        self.wait("Page.loadEventFired", within_s)

    def _read(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(until - time.monotonic(), 0))
            part = os.read(self._answers, 1 << 20) if ready else b""
            if not part:
                state = "does not answer" if not ready else "ended"
                raise ChromeError(f"Chromium {state} (exit status {self._process.poll()})")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextlib.contextmanager
def chrome() -> Iterator[Chrome]:
    """A browser with an empty profile, ended afterwards. Raises ChromeError."""
    binary = executable()
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    # --remote-debugging-pipe reads from 3 and writes to 4
    shell = ["sh", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "sh", binary]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [*shell, *_flags(Path(profile))],
            pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        try:
            yield Chrome(process, to_write, from_read)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(to_write)
            os.close(from_read)


def _flags(profile: Path) -> list[str]:
    return [
        "--headless=new",
        "--remote-debugging-pipe",
        "--no-sandbox",  # in a container there is none to be had; only our own pages are opened
        "--no-first-run",
        "--hide-scrollbars",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={profile}",
    ]
