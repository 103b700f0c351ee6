"""Contrast as WCAG has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.colors import READABLE, contrast, mix, readable, rgb, text_on

colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("color", "other", "ratio"),
    [("#000", "#fff", 21), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54),
     ("#0b5cd5", "#0b5cd5", 1)],
)  # fmt: skip
def test_contrast_is_that_of_the_standard(color, other, ratio):
    assert contrast(color, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(color, other) == contrast(other, color)


def test_short_colours_are_read_and_halves_mixed():
    assert rgb("#0bF") == (0, 187, 255)
    assert mix("#000000", "#ffffff", 0.5) == "#808080"


@given(colors, colors)
def test_a_colour_is_readable_wherever_text_is(color, ground):
    assert contrast(text_on(ground), ground) >= READABLE
    assert contrast(readable(color, [ground], text_on(ground)), ground) >= READABLE


def test_what_is_readable_already_stays():
    assert readable("#0b5cd5", ["#ffffff"], "#000000") == "#0b5cd5"
