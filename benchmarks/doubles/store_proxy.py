"""A proxy before a store's Unix socket that can be slow, mute, or refuse."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_READ = 65_536


class Proxy:
    """``delay_s``: of every answer; ``mute``: nothing is handed on in either direction;
    ``refuse``: new connections are closed at once. ``cut()`` closes those there are."""

    def __init__(self, store: Path, path: Path) -> None:
        self._store = store
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(512)
        self._open: set[socket.socket] = set()
        self.delay_s = 0.0
        self.mute = False
        self.refuse = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Closes every connection."""
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                far.connect(str(self._store))
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            for source, target, slow in ((near, far, False), (far, near, True)):
                threading.Thread(
                    target=self._hand_on, args=(source, target, slow), daemon=True
                ).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_READ):
                if slow and self.delay_s:
                    time.sleep(self.delay_s)
                if not self.mute:
                    target.sendall(data)
        for each in (source, target):
            self._open.discard(each)
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
