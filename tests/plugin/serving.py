"""The app that tests/plugin/test_server.py lets gunicorn serve; its settings come as a pickle."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from plugin.app import create_app

app = create_app(
    pickle.loads(Path(os.environ["TEST_SETTINGS"]).read_bytes()),
    redis_url=os.environ["TEST_REDIS"],
)
