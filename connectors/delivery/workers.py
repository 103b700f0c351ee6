"""Threads that make requests: as many as the tool's answers need, no more."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Workers(Generic[Job, Result]):
    """``work`` is called in a thread; its exceptions are its caller's to return.

    A thread is added when all are busy; with ``most`` = 1 ``work`` runs where it is asked for.
    Threads die with the process.
    """

    def __init__(self, work: Callable[[Job], Result], most: int) -> None:
        self._work = work
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._results: SimpleQueue[Result] = SimpleQueue()
        self._threads = 0
        self.busy = 0  # jobs whose result was not taken yet

    def submit(self, job: Job) -> None:
        self.busy += 1
        if self._most == 1:
            self._results.put(self._work(job))
            return
        if self.busy > self._threads:
            self._threads += 1
            Thread(target=self._run, daemon=True).start()
        self._jobs.put(job)

    def result(self, *, wait: bool) -> Result | None:
        """The next that is done; None if none is, without ``wait`` or when nothing is under way."""
        if not self.busy:
            return None
        try:
            result = self._results.get(block=wait)
        except Empty:
            return None
        self.busy -= 1
        return result

    def close(self) -> None:
        """Let idle threads end; what is under way is not waited for."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._results.put(self._work(job))
