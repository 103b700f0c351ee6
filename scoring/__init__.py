"""Data in, scores out: lake, identity, features, models, gate, publish."""
