"""Erasures under way: a job knows a reference, the store the person, until it is done."""

from __future__ import annotations

import pytest

from scoring.store.erasure import PENDING_S, PendingErasures
from scoring.store.keys import Keys
from tests.conftest import WORKSPACE


@pytest.fixture
def pending(redis_client) -> PendingErasures:
    return PendingErasures(redis_client, WORKSPACE)


@pytest.mark.parametrize("customer", ["mina", "device_id:4f2a", "김미나", "\udcff", ""])
def test_whoever_was_asked_for_is_known_by_the_reference_until_it_is_done(pending, customer):
    reference = pending.add(customer)
    assert pending.customer(reference) == customer
    pending.done(reference)
    assert pending.customer(reference) is None


def test_the_same_person_asked_for_twice_is_two_erasures(pending):
    first, second = pending.add("mina"), pending.add("mina")
    pending.done(first)
    assert pending.customer(second) == "mina"


def test_an_erasure_that_nobody_carries_out_ends(pending, redis_client):
    reference = pending.add("mina")
    assert 0 < redis_client.ttl(Keys(WORKSPACE).erasing(reference)) <= PENDING_S


def test_bad_input_a_reference_of_another_workspace_is_nobody(pending, redis_client):
    reference = pending.add("mina")
    assert PendingErasures(redis_client, "other").customer(reference) is None
