"""Colours: contrast after WCAG 2.2, mixing, and how a colour is made readable on another."""

from __future__ import annotations

from collections.abc import Collection

Rgb = tuple[int, int, int]
READABLE = 4.5  # contrast of text: WCAG 2.2, success criterion 1.4.3
VISIBLE = 3.0  # contrast of controls and focus marks: 1.4.11
BLACK, WHITE = "#000000", "#ffffff"
_STEPS = 20


def rgb(color: str) -> Rgb:
    """``#rgb`` or ``#rrggbb`` as three numbers from 0 to 255."""
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[at : at + 2], 16) for at in (0, 2, 4))
    return red, green, blue


def mix(color: str, other: str, share: float) -> str:
    """``#rrggbb`` with ``share`` of the other colour, 0 to 1."""
    pairs = zip(rgb(color), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(color: str, other: str) -> float:
    """Contrast ratio, 1 to 21, as WCAG 2.2 defines it."""
    bright, dark = sorted((_luminance(color), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def readable(color: str, on: Collection[str], towards: str, ratio: float = READABLE) -> str:
    """The colour, as little nearer to ``towards`` as it must be for ``ratio`` on all of ``on``."""
    mixed = (mix(color, towards, step / _STEPS) for step in range(_STEPS))
    fit = (each for each in mixed if all(contrast(each, ground) >= ratio for ground in on))
    return next(fit, mix(towards, towards, 0))


def text_on(color: str) -> str:
    """Black or white, whichever is read more easily on the colour."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, color))


def _luminance(color: str) -> float:
    red, green, blue = (_linear(part / 255) for part in rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
