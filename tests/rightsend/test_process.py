from __future__ import annotations

import functools
import os
import subprocess
import sys

from rightsend import process
from tests.rightsend.waiting import until


def test_a_process_is_told_apart_from_a_later_one_with_its_id() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert isinstance(process.started_at(child.pid), int)
    child.communicate(b"\n")
    assert process.started_at(child.pid) is None


def test_bad_input_a_process_that_never_was_has_no_start() -> None:
    assert process.started_at(2**22 + 1) is None


def test_a_family_holds_its_root_and_its_children() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert {os.getpid(), child.pid} <= set(process.family(os.getpid()))
    child.communicate(b"\n")


def test_memory_counts_this_process_and_nothing_for_one_that_is_gone() -> None:
    assert 5 < process.memory_mb([os.getpid()]) < 10_000
    assert process.memory_mb([2**22 + 1]) == 0


def test_a_child_whose_parent_is_gone_already_ends_itself() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        preexec_fn=functools.partial(process.die_with_parent, parent=1),  # noqa: PLW1509
    )
    assert until(child.poll) == -9
