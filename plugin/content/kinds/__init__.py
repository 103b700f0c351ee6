"""Kinds of content: one file a kind or a family, each a function from what is asked to what is
picked. What each means, in the marketer's words, is the API's description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import marshmallow as ma

from plugin.content import answer_schema as answers
from plugin.content import schema as asking
from plugin.content.asked import Asked, Picked
from plugin.content.kinds import arrivals, beside, cart, for_you, rank, replenishment, top, watched
from settings.memory import DUE_AHEAD_DAYS, MOST_DUE


class Kind(NamedTuple):
    """One kind: its name in the address, what it takes and gives, and how it picks."""

    name: str
    description: str  # a headline, an empty line, and more
    pick: Callable[[Asked], Picked]
    arguments: type[ma.Schema] = asking.ForYouArgumentsSchema
    answer: type[ma.Schema] = answers.ContentSchema


_FOR_YOU = """Recommended for this customer

The items that the customer most probably buys, as the night scored them, moved by what the
customer looked at and carted since. What was bought just now is left out: for as many days as the
item usually lasts, for `content.exclude_bought_days` at least. An unknown customer who did nothing
lately gets what is popular (`reason` unknown_customer).
"""
_RELATED = """Others you may like, beside an item

What those who bought the item buy on their next visit. An unknown item gives what is popular
(`reason` unknown_item).
"""
_TOGETHER = """Frequently bought together with an item

What lies in the same basket. An unknown item gives what is popular (`reason` unknown_item).
"""
_CART = """What lies in the customer's cart

Newest first, each with when it was added, how many, what it cost then, how much less it costs now
and whether few pieces are left. What was taken out or bought is gone; what cannot be bought now is
told in `cart.unavailable`. An empty cart gives no items (`reason` empty_cart, `send` false).
"""
_BACK = """Back in stock, of what the customer looked at

Items that the customer looked at, carted or wished for, that could not be sold, can be sold again,
and were not looked at since. Without any there are no items (`reason` nothing_back).
"""
_DROP = """Cheaper now, of what the customer looked at

Items that cost less than when the customer last looked; where that price is not known, less than in
the last two weeks. Without any there are no items (`reason` no_price_drop).
"""
_DUE = f"""What the customer is about to run out of

By the customer's own rhythm, or by how long an item usually lasts after a purchase of just now. The
most overdue first; what is overdue by more than its interval is given up. What was bought within
`content.exclude_bought_days` is left out, unless its interval is shorter and half of it is over.
`score` is the share of the interval that has passed: 1 is due today. The night keeps what is due
within {DUE_AHEAD_DAYS} days, the {MOST_DUE} most probable items a customer. Without any there are
no items (`reason` nothing_due).
"""
_NEW = """New arrivals in this customer's order

Nobody has bought them yet: the customer's brands, categories and price level speak for them, beside
what the night expects of each. In the night's order for a customer whom nobody knows.
"""
_BRANDS = """The customer's brands, best first

Each with its best item for this customer as a picture: `brands`, and the same items in `items`.
A boost of a brand moves it in the list; all boosts move which item stands for it.
"""
_CATEGORIES = """The customer's categories, best first

Each with its best item for this customer as a picture: `categories`, and the same items in `items`.
A boost of a category moves it in the list; all boosts move which item stands for it.
"""
_RANK = """Your own list in this customer's order

Up to 100 ids in `items`; without `limit` all of them. By the customer's own probability where the
night knows it, the others behind by brand, category and popularity. What is not shown stands in
`left_out` with the reason: unknown, bought, sold_out, filtered or capped (by `max_per_brand` or
`max_per_category`); what only `limit` cuts off is not told.
"""
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("for-you", _FOR_YOU, for_you.pick),
        Kind("related", _RELATED, beside.related, asking.RelatedArgumentsSchema),
        Kind("bought-together", _TOGETHER, beside.bought_together, asking.RelatedArgumentsSchema),
        Kind("cart", _CART, cart.pick, asking.CartArgumentsSchema, answers.CartAnswerSchema),
        Kind("back-in-stock", _BACK, watched.back_in_stock, asking.BackInStockArgumentsSchema),
        Kind("price-drop", _DROP, watched.price_drop, asking.PriceDropArgumentsSchema),
        Kind("replenishment", _DUE, replenishment.pick, asking.ReplenishmentArgumentsSchema),
        Kind("new-arrivals", _NEW, arrivals.pick, asking.NewArrivalsArgumentsSchema),
        Kind("brands", _BRANDS, top.brands, answer=answers.BrandsAnswerSchema),
        Kind("categories", _CATEGORIES, top.categories, answer=answers.CategoriesAnswerSchema),
        Kind("rank", _RANK, rank.pick, asking.RankArgumentsSchema, answers.RankAnswerSchema),
    )
}
