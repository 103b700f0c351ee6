"""How much a customer would like items that the night did not score one by one for this customer.

The night publishes each customer's best items only. Of the others the customer's probabilities
for the brand and for the category are known, and how popular the item is. Their logarithms are
added with weights, a product of experts (Hinton, 2002); what is not known of an item weighs nothing
and what is below a customer's published list counts as a share of the list's last. Only the order
is meant: the score says so by staying below the lowest probability of the customer's own list. The
weights were chosen on an earlier week of groceries, see docs/content.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from plugin.content import shelves
from plugin.content.asked import Asked, Entry
from plugin.content.shelves import Level
from scoring.store.published import PublishedSnapshot

BRAND_WEIGHT, CATEGORY_WEIGHT, POPULARITY_WEIGHT = 1.0, 2.0, 0.5
UNLISTED = 0.25  # of the last probability of a list
PRICE_SPREAD = math.log(2)  # standard deviation of what a customer pays in a category
_LEAST = 1e-6

_NOTHING = Level({}, 0.0)


@dataclass(frozen=True, slots=True)
class Taste:
    """``own``: item number → (probability, reasons); ``lowest``: of ``own``, 1 without any;
    ``usual_prices``: by category, as they were asked for."""

    published: PublishedSnapshot
    own: Mapping[int, tuple[float, tuple[int, ...]]]
    brands: Level
    categories: Level
    lowest: float
    usual_prices: dict[int, float | None] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Asked) -> Taste:
        """Raises RecordError for a damaged record."""
        published, record = asked.reading.published, asked.reading.record
        if record is None:
            return cls(published, {}, _NOTHING, _NOTHING, 1.0)
        own = {number: (score, reasons) for number, score, reasons in record.explained()}
        lowest = min((score for score, _ in own.values()), default=1.0)
        return cls(published, own, Level.of(record.brands()), Level.of(record.categories()), lowest)

    def entry(self, number: int) -> Entry:
        """The item with the customer's own probability, else with ``guess``."""
        known = self.own.get(number)
        return Entry(number, *known) if known else Entry(number, self.guess(number))

    def guess(self, number: int) -> float:
        """Above 0 and at most the lowest probability of the customer's own list."""
        sells = shelves.popularity(self.published)
        return self._guess(number, sells.likely.get(number) or UNLISTED * sells.least, 0.0)

    def of_new(self, number: int, expected: float) -> float:
        """The same for an item that nobody could buy yet: ``expected`` stands for its popularity,
        and a price far from what the customer's items of its category cost speaks against it."""
        price = self.published.catalogue.price(number)
        usual = self._usual_price(self.published.catalogue.category[number])
        apart = 0.0
        if price and usual:
            apart = -0.5 * (math.log(price / usual) / PRICE_SPREAD) ** 2
        return self._guess(number, expected, apart)

    def _guess(self, number: int, popular: float, more: float) -> float:
        catalogue = self.published.catalogue
        total = more + POPULARITY_WEIGHT * math.log(max(popular, _LEAST))
        weights = POPULARITY_WEIGHT
        for (table, least), index, weight in (
            (self.brands, catalogue.brand[number], BRAND_WEIGHT),
            (self.categories, catalogue.category[number], CATEGORY_WEIGHT),
        ):
            if table and index >= 0:
                likely = table.get(index) or UNLISTED * least
                total += weight * math.log(max(likely, _LEAST))
                weights += weight
        return float(f"{self.lowest * math.exp(total / weights):.3g}")

    def _usual_price(self, category: int) -> float | None:
        """Geometric mean of what the customer's items of a category cost; None without any."""
        if category < 0:
            return None
        if category in self.usual_prices:
            return self.usual_prices[category]
        catalogue = self.published.catalogue
        prices = (catalogue.price(n) for n in self.own if catalogue.category[n] == category)
        logs = [math.log(price) for price in prices if price]
        found = math.exp(sum(logs) / len(logs)) if logs else None
        self.usual_prices[category] = found
        return found

    def ordered(self, numbers: Iterable[int]) -> list[Entry]:
        """Best first; equal ones by number."""
        return sorted(map(self.entry, numbers), key=lambda entry: (-entry.score, entry.number))
