"""What holds when a call does not say otherwise."""

CART_DAYS = 14  # that a cart is remembered
LOW_STOCK = 5  # pieces
AHEAD_DAYS = 3  # before an item is due
BACK_DAYS = 14  # since an item came back
LEAST_DROP = 0.05  # share of the price
