"""The page that a tapped message opens."""
