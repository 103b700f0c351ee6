"""Reasons are true to the model, and to what is known of the customer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.history import BOUGHT
from scoring.level import Level
from scoring.models.contributions import contributions
from scoring.models.stacker import Stacker
from scoring.reasons.explain import best_seller_share, explain, explain_items, explain_members
from scoring.reasons.groups import columns_of, group_of
from scoring.reasons.reason import CODES, Reason, decode
from scoring.reasons.words import told
from scoring.training import fit_level
from tests.scoring.histories import CUTOFF, Row, make

Rows = NDArray[np.float32]
FEATURES = (
    "repeat.bought_7d", "repeat.days_bought", "repeat.recency_days", "repeat.gap_days",
    "repeat.due", "popularity.buyers_28d", "popularity.repeat_share", "activity.visits_21d",
    "activity.visit_days", "activity.visit_recency_days", "ease.ease", "affinity.affinity",
    "brand.days_bought", "brand.recency_days", "channel.novel", "content.price_fit",
)  # fmt: skip


def shoppers(count: int, seed: int) -> tuple[Rows, NDArray[np.bool_]]:
    """Described pairs of a shop with habits, rhythms, likenesses and best sellers; who bought."""
    random = np.random.default_rng(seed)
    x = np.full((count, len(FEATURES)), np.nan, np.float32)
    at = {name: column for column, name in enumerate(FEATURES)}
    days = random.poisson(1.0, count)
    recency = random.integers(0, 60, count)
    gap = np.where(days > 1, random.integers(3, 40, count), np.nan)
    x[:, at["repeat.bought_7d"]] = days * 0.5 ** (recency / 7)
    x[:, at["repeat.days_bought"]] = days
    x[:, at["repeat.recency_days"]] = np.where(days > 0, recency, np.nan)
    x[:, at["repeat.gap_days"]] = gap
    x[:, at["repeat.due"]] = (recency + 1) / gap
    x[:, at["popularity.buyers_28d"]] = random.choice([0.001, 0.02, 0.2], count)
    x[:, at["popularity.repeat_share"]] = random.choice([0.05, 0.6], count)
    visits = days + random.poisson(3, count)
    x[:, at["activity.visits_21d"]] = visits / 3
    x[:, at["activity.visit_days"]] = visits
    x[:, at["activity.visit_recency_days"]] = np.where(visits > 0, recency // 2, np.nan)
    x[:, at["ease.ease"]] = random.normal(0, 0.1, count)
    x[:, at["affinity.affinity"]] = random.normal(-3, 1, count)
    brand = days + random.poisson(1, count)
    x[:, at["brand.days_bought"]] = brand
    x[:, at["brand.recency_days"]] = np.where(brand > 0, recency, np.nan)
    x[:, at["channel.novel"]] = random.normal(size=count)
    x[:, at["content.price_fit"]] = random.normal(size=count)
    log_odds = (
        0.8 * np.log1p(days) + 1.0 * (np.abs(np.nan_to_num(x[:, at["repeat.due"]]) - 1) < 0.4)
        + 6 * x[:, at["ease.ease"]] + 0.4 * (x[:, at["affinity.affinity"]] + 3) + 0.1 * visits
        + 3 * x[:, at["popularity.buyers_28d"]] + 0.3 * np.log1p(brand) - 3.5
    )  # fmt: skip
    return x, random.random(count) < 1 / (1 + np.exp(-log_odds))


@pytest.fixture(scope="module")
def stacker() -> Stacker:
    x, y = shoppers(20_000, 1)
    return Stacker.fit(x, y, np.ones(len(y), np.float32), seed=1, iterations=80)


def only(feature: str, threshold: float = 0.5, *, adds: float = 1.0) -> Stacker:
    """One tree: what lies above the threshold of one feature, or is unknown, adds."""
    nodes = np.zeros(3, dtype=Stacker.constant(0.5).nodes.dtype)
    nodes["count"], nodes["is_leaf"] = [100, 50, 50], [0, 1, 1]
    nodes["value"], nodes["num_threshold"] = [0, -adds, adds], threshold
    nodes["left"], nodes["right"], nodes["feature_idx"] = 1, 2, FEATURES.index(feature)
    return Stacker(nodes, np.array([0, 3]), -2.0)


def pair(**values: float) -> Rows:
    """One described pair; names with a double underscore for the dot, the others unknown."""
    x = np.full((1, len(FEATURES)), np.nan, np.float32)
    for name, value in values.items():
        x[0, FEATURES.index(name.replace("__", "."))] = value
    return x


def reasons(stacker: Stacker, x: Rows, **more: object) -> tuple[Reason, ...]:
    return decode(explain(FEATURES, stacker, x, **more)[0].tolist())


def test_taking_the_first_reason_away_lowers_the_probability_more_than_another(
    stacker: Stacker,
) -> None:
    x, _ = shoppers(3000, 2)
    packed, before = explain(FEATURES, stacker, x), stacker.probability(x)
    groups, random = columns_of(FEATURES), np.random.default_rng(3)
    neutral = np.nanmedian(x, axis=0)
    falls: dict[str, list[float]] = {"first": [], "other": []}
    for row, numbers in enumerate(packed[:800]):
        told_of = decode(numbers.tolist())
        if not told_of:
            continue
        first = told_of[0].code
        other = random.choice([code for code in groups if code != first])
        for name, code in (("first", first), ("other", other)):
            changed = x[row : row + 1].copy()
            changed[0, groups[code]] = neutral[groups[code]]
            falls[name].append(float(before[row] - stacker.probability(changed)[0]))
    assert len(falls["first"]) > 400
    assert np.mean(falls["first"]) > 0
    assert np.mean(falls["first"]) > 3 * np.mean(falls["other"])


def test_reasons_are_the_strongest_groups_that_may_be_told(stacker: Stacker) -> None:
    x, _ = shoppers(2000, 4)
    added = contributions(stacker.nodes, stacker.tree_start, stacker.baseline, x)
    groups = columns_of(FEATURES)
    several = 0
    for row, numbers in enumerate(explain(FEATURES, stacker, x)):
        strength = [added[row, groups[r.code]].sum() for r in decode(numbers.tolist())]
        assert strength == sorted(strength, reverse=True)
        assert all(value >= 0.1 for value in strength)
        assert all(value >= 0.15 * strength[0] - 1e-6 for value in strength)
        several += len(strength) > 1
    assert several > 500


def test_numbers_told_are_those_of_the_description(stacker: Stacker) -> None:
    x, _ = shoppers(2000, 5)
    at = {name: x[:, column] for column, name in enumerate(FEATURES)}
    sources = {
        "bought": ("repeat.days_bought", "repeat.recency_days"),
        "brand": ("brand.days_bought", "brand.recency_days"),
        "shops": ("activity.visit_days", "activity.visit_recency_days"),
        "due": ("repeat.gap_days",),
    }
    seen = set()
    for row, numbers in enumerate(explain(FEATURES, stacker, x)):
        for reason in decode(numbers.tolist()):
            seen.add(reason.code)
            names = sources.get(reason.code, ())
            assert reason.parameters[: len(names)] == tuple(int(at[name][row]) for name in names)
            if reason.code == "due":
                assert 0.75 <= at["repeat.due"][row] <= 2
            if reason.code == "bought":
                assert reason.parameters[0] >= 1
    assert {"bought", "brand", "due", "similar_customers"} <= seen


def test_a_habit_is_told_with_its_numbers() -> None:
    x = pair(repeat__days_bought=5, repeat__recency_days=12)
    found = reasons(only("repeat.days_bought"), x)
    assert told(found, "en") == "Bought it on 5 days, last 12 days ago"


def test_what_lowers_the_probability_is_no_reason() -> None:
    x = pair(repeat__days_bought=5, repeat__recency_days=12)
    assert reasons(only("repeat.days_bought", adds=-1.0), x) == ()


def test_a_push_too_small_to_matter_is_no_reason() -> None:
    x = pair(ease__ease=1)
    assert reasons(only("ease.ease", adds=0.2), x) == (Reason("similar_customers"),)
    assert reasons(only("ease.ease", adds=0.05), x) == ()


def test_an_unknown_score_is_no_likeness_even_if_the_trees_like_it() -> None:
    stacker = only("ease.ease")
    assert reasons(stacker, pair(ease__ease=0.7)) == (Reason("similar_customers"),)
    assert reasons(stacker, pair()) == ()  # unknown goes right, where the tree adds
    assert reasons(only("ease.ease", -1.0), pair(ease__ease=0.0)) == ()  # nothing in common


@pytest.mark.parametrize(
    ("against_usual", "expected"), [(-0.7, ("cheaper",)), (0.1, ("price",)), (0.7, ())]
)
def test_a_price_is_a_reason_if_it_is_not_above_the_usual(
    against_usual: float, expected: tuple[str, ...]
) -> None:
    found = reasons(only("content.price_fit", -9.0), pair(content__price_fit=against_usual))
    assert tuple(reason.code for reason in found) == expected


def test_due_is_told_only_when_it_is_time() -> None:
    stacker = only("repeat.gap_days", 1.0)
    due = {0.2: (), 0.9: (Reason("due", (14,)),), 5.0: ()}
    for share, expected in due.items():
        assert reasons(stacker, pair(repeat__gap_days=14, repeat__due=share)) == expected


def test_who_never_bought_is_not_told_to_have_bought() -> None:
    stacker = only("repeat.days_bought", -1.0)
    assert reasons(stacker, pair(repeat__days_bought=0)) == ()


def test_a_best_seller_is_one_and_no_reason_within_a_segment() -> None:
    stacker, x = only("popularity.buyers_28d", 0.05), pair(popularity__buyers_28d=0.124)
    assert reasons(stacker, x, best_seller_from=0.1) == (Reason("best_seller", (124,)),)
    assert reasons(stacker, x, best_seller_from=0.2) == ()
    assert not explain_members(FEATURES, stacker, x).any()


def test_the_brand_on_the_same_days_as_the_product_is_not_told_twice() -> None:
    both = [only("repeat.days_bought"), only("brand.days_bought")]
    stacker = Stacker(np.concatenate([s.nodes for s in both]), np.array([0, 3, 6]), -2.0)
    same = pair(
        repeat__days_bought=2, repeat__recency_days=3,
        brand__days_bought=2, brand__recency_days=3,
    )  # fmt: skip
    assert reasons(stacker, same) == (Reason("bought", (2, 3)),)
    same[0, FEATURES.index("brand.days_bought")] = 6
    assert reasons(stacker, same) == (Reason("bought", (2, 3)), Reason("brand", (6, 3)))


def test_the_same_rows_have_the_same_reasons_alone_and_among_others(stacker: Stacker) -> None:
    x, _ = shoppers(50, 6)
    whole = explain(FEATURES, stacker, x)
    assert whole.dtype == np.uint32
    alone = np.concatenate([explain(FEATURES, stacker, x[k : k + 1]) for k in range(50)])
    assert alone.tolist() == whole.tolist()


@pytest.fixture(scope="module")
def level() -> Level:
    random = np.random.default_rng(7)
    rows: list[Row] = [
        (int(c), int(i), int(h), BOUGHT)
        for c, i, h in zip(
            random.integers(0, 60, 2000), random.zipf(1.5, 2000) % 30,
            CUTOFF - random.integers(1, 24 * 80, 2000), strict=True,
        )
    ]  # fmt: skip
    history = make(
        rows, customers=60, items=30, brand=range(30), category=[k % 4 for k in range(30)]
    )
    return fit_level(history, "any", CUTOFF, None, 7)  # type: ignore[arg-type]


def test_items_of_a_customer_are_explained_by_themselves_and_members_by_their_visits(
    level: Level,
) -> None:
    customer = np.arange(60, dtype=np.int32)
    x = level.describe(customer, np.zeros_like(customer))
    visits = level.features.index("activity.visit_days")
    nodes = only("repeat.bought_7d", float(np.median(x[:, visits]))).nodes
    nodes["feature_idx"] = visits
    stacker = Stacker(nodes, np.array([0, 3]), -2.0)
    members = {r.code for n in explain_members(level.features, stacker, x) for r in decode(n)}
    assert members == {"shops"}
    assert not explain_items(level, stacker, x).any()
    assert 0 < best_seller_share(level) <= 1


def test_every_feature_of_a_level_counts_for_a_reason(level: Level) -> None:
    parents = [f"{name}.days_bought" for name in ("brand", "kind_brand", "engaged")]
    scorers = ("ease.ease", "factors.factors", "affinity.affinity")
    for feature in (*level.features, *parents, *scorers):
        assert group_of(feature) in CODES, feature


def test_a_feature_without_words_is_no_reason() -> None:
    assert group_of("channel.novel") is None
    assert reasons(only("channel.novel"), pair(channel__novel=2)) == ()


def test_bad_input_no_rows_have_no_reasons(stacker: Stacker) -> None:
    assert explain(FEATURES, stacker, np.zeros((0, len(FEATURES)), np.float32)).shape == (0, 3)


def test_bad_input_nothing_known_of_anybody_has_no_reasons(stacker: Stacker) -> None:
    x = np.full((4, len(FEATURES)), np.nan, np.float32)
    assert not explain(FEATURES, stacker, x).any()


def test_bad_input_a_constant_stacker_has_no_reasons() -> None:
    x, _ = shoppers(10, 8)
    assert not explain(FEATURES, Stacker.constant(0.1), x).any()


def test_bad_input_columns_that_are_not_those_of_the_level_are_refused() -> None:
    with pytest.raises(ValueError, match="16 features, but x has 14 columns"):
        explain(FEATURES, Stacker.constant(0.1), np.zeros((2, 14), np.float32))
