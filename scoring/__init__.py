"""Data in, scores out: lake, identity, features, models, gate, publish."""

import os

# Read once when OpenMP is loaded: idle threads that spin make training many times slower on a
# machine that also serves (two busy cores: 20 s instead of 6 s).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
