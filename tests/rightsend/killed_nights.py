"""A process that runs nightly jobs in forked children, which kill themselves where they are told.

Started as ``python -m tests.rightsend.killed_nights``. Each line on stdin is a JSON list: where to
die (a key of DEATHS, or null), the store's URL (null: embedded) and the command's words; each line
on stdout is the child's exit status (negative: the signal that killed it). Forking saves the
seconds that importing the model libraries takes; the product knows nothing of it.
"""

from __future__ import annotations

import functools
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis.backends.duckdb  # noqa: F401  loaded before forking

from connectors.delivery import sending
from rightsend import cli
from rightsend.commands import export, nightly, runs  # noqa: F401  loaded before forking
from rightsend.context import REDIS_VARIABLE
from scoring import gate, importing, model_files, run_log, snapshot, training
from scoring import history as histories
from scoring import nightly as night
from scoring.backtest import report
from scoring.store.publish import Publisher
from tests import nightly_shop as shop


def die(*_: Any, **__: Any) -> None:
    """As kill -9 does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def _at_call(owner: Any, name: str, number: int, *, after: bool = False) -> Callable[[], None]:
    """Dies at (or right after) the ``number``-th call of ``owner.name``."""

    def arm() -> None:
        original = getattr(owner, name)
        calls = 0

        @functools.wraps(original)
        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number and not after:
                die()
            result = original(*arguments, **options)
            if calls == number:
                die()
            return result

        setattr(owner, name, counted)

    return arm


def _half_written(owner: Any, name: str, number: int, path_at: int) -> Callable[[], None]:
    """Dies at the ``number``-th call of a function that writes a file, leaving half of it."""

    def arm() -> None:
        original = getattr(owner, name)
        calls = 0

        def halved(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            result = original(*arguments, **options)
            if calls == number:
                path = Path(arguments[path_at])
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
                die()
            return result

        setattr(owner, name, halved)

    return arm


DEATHS: dict[str, Callable[[], None]] = {
    "import, rows in the lake, file not noted": _at_call(importing.ImportedFiles, "finish", 1),
    "identity, half a file written": _half_written(night.pq, "write_table", 1, 1),
    "features, half a history written": _half_written(histories.np, "save", 3, 0),
    "train, in the middle": _at_call(training, "fit_level", 7),
    "train, half a model written": _half_written(model_files, "_write", 2, 0),
    "backtest, between levels": _at_call(report, "evaluate", 2),
    "gate, before the verdict": _at_call(gate, "quality_problem", 1),
    "score, half a snapshot written": _half_written(snapshot, "_write_parquet", 4, 0),
    "score, snapshot in place, step not noted": _at_call(snapshot, "write", 1, after=True),
    "publish, content written, customers not": _at_call(Publisher, "_write_customers", 1),
    "publish, pointer about to move": _at_call(Publisher, "_move_pointer", 1),
    "publish, pointer moved, step not noted": _at_call(Publisher, "_move_pointer", 1, after=True),
    "sync, first call accepted": _at_call(sending.Sender, "_try", 1, after=True),
    "sync, first call about to go out": _at_call(sending.Sender, "_try", 1),
}


def _when_step_begins(step: str, arm: Callable[[], None]) -> None:
    original = run_log.Run.step

    def armed(self: run_log.Run, name: str, work: Callable[..., Any]) -> Any:
        if name == step:
            arm()
        return original(self, name, work)

    run_log.Run.step = armed


def child(death: str | None, redis_url: str | None, words: list[str]) -> None:
    """Runs the command; never returns."""
    status = 70
    try:
        os.environ[REDIS_VARIABLE] = redis_url or ""
        sys.stdout = io.StringIO()  # the real one is the conversation with the parent
        shop.train_quickly(setattr)
        if death is not None:
            _when_step_begins(death.partition(",")[0], DEATHS[death])
        status = cli.run(words)
    except BaseException:  # noqa: BLE001  the process boundary
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    for line in sys.stdin:
        death, redis_url, words = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(death, redis_url, words)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
