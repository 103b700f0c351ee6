"""What a customer does now moves what is shown, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.content import session
from plugin.content.session import WEIGHTS, InSight, Signal, effect, fold, signals
from scoring.store.recent_record import RecentEvent
from tests.plugin.content.counter import ask, did, ids, record

NOWHERE = InSight([-1] * 20, {})
NUMBERS = {f"i{n}": n for n in range(20)}


def seen(*events: RecentEvent) -> list[Signal]:
    ordered = sorted(events, key=lambda event: -event.at_s)
    return signals(ordered, NUMBERS.get, 0)


def test_what_was_looked_at_and_what_goes_with_it_come_up() -> None:
    quiet, moved = (
        {entry.number: entry.score for entry in ask("for-you", *events, limit=8).entries}
        for events in ([], [did("view", "i4")])
    )
    assert moved[4] > quiet[4]
    assert moved[5] > quiet[5]  # which is bought after i4
    assert moved[0] == quiet[0]
    assert 9 in moved
    assert 9 not in quiet


def test_a_cart_counts_more_than_a_look_and_now_more_than_before() -> None:
    weight = {each.number: each.weight for each in seen(
        did("view", "i1", 1), did("cart", "i2", 1), did("view", "i3", 4)
    )}  # fmt: skip
    assert weight[2] > weight[1] > weight[3]
    assert weight[3] == pytest.approx(weight[1] / 2)  # half-life of three hours


def test_an_item_counts_by_its_strongest_event_once() -> None:
    (one,) = seen(did("view", "i1", 1), did("view", "i1", 2), did("cart", "i1", 1.5))
    assert one.weight == pytest.approx(2 * 2 ** (-0.5 / 3), rel=1e-3)


@pytest.mark.parametrize("ending", [did("purchase", "i1", 1), did("cart", "i1", 1, quantity=0)])
def test_what_was_bought_or_put_back_counts_no_more(ending) -> None:
    assert seen(did("cart", "i1", 2), ending) == []


def test_another_visits_events_do_not_count() -> None:
    assert [each.number for each in seen(did("view", "i1", 1), did("view", "i2", 30))] == [1]


def test_what_the_night_already_knows_does_not_count() -> None:
    """The night ended nine hours ago."""
    assert ids(ask("for-you", did("view", "i4", 10))) == ids(ask())
    assert ids(ask("for-you", did("view", "i4", 8))) != ids(ask())


def test_events_about_nothing_known_change_nothing() -> None:
    events = did("view", "unheard-of"), did("search", "i4"), did("click", "i4")
    assert ask("for-you", *events).entries == ask().entries


def test_a_stranger_who_looks_around_gets_what_goes_with_it() -> None:
    found = ask("for-you", did("view", "i6"), known=False, limit=4)
    assert (ids(found)[:3], found.reason) == (["i6", "i10", "i8"], None)


def test_items_of_the_category_in_sight_become_more_likely() -> None:
    moved = fold([(1, 0.10, ()), (2, 0.09, ())], effect([], _none, []), _sight(2))
    assert [number for number, _, _ in moved] == [2, 1]


def test_what_is_bought_together_more_than_by_chance_comes_up() -> None:
    found = ids(ask("for-you", did("cart", "i0"), customer=record(items=((4, 0.1), (2, 0.08)))))
    assert found.index("i2") < found.index("i4")  # i2: 0.4 beside i0 over 0.01 anyway


def test_reasons_stay_with_their_items() -> None:
    moved = fold([(1, 0.1, (5,)), (2, 0.3, (6,))], effect([Signal(3, 1)], _none, []), NOWHERE)
    assert {number: reasons for number, _, reasons in moved} == {1: (5,), 2: (6,), 3: ()}


events = st.lists(
    st.builds(
        RecentEvent,
        st.sampled_from(["view", "cart", "interest", "purchase", "search"]),
        st.sampled_from(list(NUMBERS)),
        st.integers(0, 200_000),
        quantity=st.sampled_from([None, 0.0, 1.0]),
    )
)
own = st.dictionaries(st.integers(0, 19), st.floats(0.0001, 1.0), max_size=10)


@given(events, own)
def test_every_probability_stays_one_and_none_falls(recent, mine) -> None:
    found = seen(*recent)
    pairs = [((n + 1) % 20, 0.5) for n in range(20)]
    done = effect(found, lambda n: ([pairs[n]], [pairs[n - 1]]), [0.01] * 20)
    moved = fold([(n, p, ()) for n, p in mine.items()], done, _sight(1))
    assert all(0 < p <= 1 for _, p, _ in moved)
    assert all(p >= mine.get(n, 0.0) * 0.994 for n, p, _ in moved)  # three digits
    assert len({n for n, _, _ in moved}) == len(moved) >= len(mine)
    scores = [p for _, p, _ in moved]
    assert scores == sorted(scores, reverse=True)


@given(own)
def test_without_a_session_nothing_moves(mine) -> None:
    scored = sorted(((n, p, ()) for n, p in mine.items()), key=lambda e: (-e[1], e[0]))
    assert fold(scored, effect([], _none, []), NOWHERE) == scored


def test_a_long_session_is_cut() -> None:
    found = seen(*(did("view", f"i{n}", 1 + n / 60) for n in range(20)))
    assert len(found) == session.MOST_SIGNALS


def test_weights_are_what_docs_and_benchmark_say() -> None:
    assert WEIGHTS.kind["cart"] > WEIGHTS.kind["view"] > 0


def _none(_number: int) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    return [], []


def _sight(number: int) -> InSight:
    return InSight.of([Signal(number, 1.0)], range(20))
