"""Content for one recipient, at send time."""
