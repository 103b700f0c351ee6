"""When an old worker may stop; with the real server: tests/plugin/test_draining.py."""

from __future__ import annotations

import os

from plugin.handover import Handover


def test_without_a_reload_workers_stop_at_once():
    handover = Handover()
    for age in (1, 2, 5000):
        assert handover.replaced(age, 2)


def test_in_a_reload_the_old_stop_when_as_many_new_ones_are_ready():
    handover = Handover()
    handover.ready(1)
    handover.ready(2)
    handover.begin(2)
    assert not handover.replaced(1, 2)
    assert not handover.replaced(2, 2)
    assert handover.replaced(3, 2)  # a new one, told to stop before it was ready
    handover.ready(3)
    assert not handover.replaced(1, 2)
    handover.ready(5)  # the fourth could not start
    assert handover.replaced(1, 2)
    handover.begin(5)
    assert not handover.replaced(5, 2)


def test_workers_see_what_others_tell():
    handover = Handover()
    handover.begin(2)
    child = os.fork()
    if child == 0:
        handover.ready(3)
        os._exit(0)
    os.waitpid(child, 0)
    assert handover.replaced(2, 1)
