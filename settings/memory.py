"""How much the night keeps of each customer for send time.

What a configuration or a call may ask for goes no further than this. Nothing of ours is below.
"""

from __future__ import annotations

DUE_AHEAD_DAYS = 14  # what is due later than this is not kept
MOST_DUE = 10  # items a customer
WATCHED_DAYS = 60  # that looks, carts and interest are kept
MOST_WATCHED = 10  # items a customer
SENT_DAYS = 14  # that messages count
MOST_SENT = 20  # messages a customer
BACK_DAYS = 60  # that an item is told to be back: as long as who watched it is known
NEW_DAYS = 30  # that an item is new
