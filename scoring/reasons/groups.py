"""Which features stand for which reason.

Features that measure one thing in several ways share what the model owes to that thing; a reason
is judged by the sum. A sentence tells only of features of its own group.
"""

from __future__ import annotations

from collections.abc import Sequence

# group (a reason's code) ← beginnings of feature names; the first that fits decides
_BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("repeat.due", "due"),
    ("repeat.gap_days", "due"),
    ("repeat.", "bought"),
    ("bought_a_visit", "bought"),
    ("engaged.", "interest"),
    ("clicked.", "clicked"),
    ("brand.", "brand"),
    ("category.", "category"),
    ("kind.", "kind"),
    ("kind_brand.", "kind"),
    ("category_brand.", "brand"),
    ("activity.visit_due", "visit_due"),
    ("activity.visit_gap_days", "visit_due"),
    ("activity.", "shops"),
    ("ease.", "similar_customers"),
    ("affinity.", "similar_customers"),
    ("temporal.", "similar_customers"),
    ("factors.", "similar_customers"),
    ("popularity.repeat_share", "bought_again"),
    ("popularity.mean_days", "bought_again"),
    ("popularity.typical_gap_days", "bought_again"),
    ("popularity.", "best_seller"),
    ("price.", "price"),
    ("profile.", "profile"),
    ("content.price_fit", "price"),
    ("content.expected_buyers", "best_seller"),
    ("content.", "similar_products"),
)

# the same for all members of a segment, so no reason for one of them; likewise for all items
OF_THE_TARGET = frozenset({"best_seller", "bought_again"})
OF_THE_CUSTOMER = frozenset({"shops", "visit_due"})


def group_of(feature: str) -> str | None:
    """The reason's code that a feature of a level counts for; None if no words stand for it."""
    return next((code for start, code in _BEGINNINGS if feature.startswith(start)), None)


def columns_of(features: Sequence[str]) -> dict[str, list[int]]:
    """group → its columns, in the order of the table above: that of reasons equally strong."""
    found: dict[str, list[int]] = {code: [] for _, code in _BEGINNINGS}
    for column, feature in enumerate(features):
        code = group_of(feature)
        if code is not None:
            found[code].append(column)
    return {code: columns for code, columns in found.items() if columns}
