"""Reasons as sentences, in every language that has a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.reasons import en, ko
from scoring.reasons.reason import Reason

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.TEXTS, "ko": ko.TEXTS}
ABOUT = ("item", "brand", "category", "group", "any")  # what "it" may be; a group: several targets
FEW_PERMILLE = 10  # a best seller bought by fewer is told without the share
PHRASES = {"days": ("days",), "ago_days": ("ago", "last"), "gap_days": ("gap",)}


def told(reasons: Iterable[Reason], language: str, about: str = "item") -> str:
    """The sentences one after another, as in the column of a segment. Raises ReasonError."""
    return "; ".join(sentence(reason, language, about) for reason in reasons)


def sentence(reason: Reason, language: str, about: str = "item") -> str:
    """One reason in words. A language without a catalogue reads English ("ko-KR" reads "ko").

    ``about``: one of ABOUT. Raises ReasonError for a reason that cannot be, ValueError for another
    ``about``.
    """
    if about not in ABOUT:
        raise ValueError(f"a reason is about one of {', '.join(ABOUT)}, not {about!r}")
    texts = LANGUAGES.get(language.replace("_", "-").split("-")[0].lower(), LANGUAGES["en"])
    values = reason.named
    words = {"it": texts[f"it_{about}"]}
    for name, value in values.items():
        if name == "share_permille":
            words["share"] = texts["share"].format(percent=round(value / 10))
        for phrase in PHRASES.get(name, ()):
            words[phrase] = _counted(texts, phrase, value)
    return texts[_variant(reason.code, values)].format(**words)


def _variant(code: str, values: Mapping[str, int]) -> str:
    if values.get("days") == 1:
        return f"{code}_once"
    if code == "best_seller" and values["share_permille"] < FEW_PERMILLE:
        return "best_seller_few"
    return code


def _counted(texts: Mapping[str, str], phrase: str, number: int) -> str:
    return texts.get(f"{phrase}_{number}", texts[phrase]).format(n=number)
