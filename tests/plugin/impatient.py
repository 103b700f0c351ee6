"""gunicorn settings of tests: those of production, with a worker that waits for less long."""

import os

from plugin import web_worker
from plugin.gunicorn_conf import *  # noqa: F403  gunicorn reads the names of this module

web_worker.HEAD_S = 1.0
web_worker.BODY_S = 1.0
web_worker.LINGER_S = 1.0
loglevel = "info"
max_requests = int(os.environ.get("TEST_MAX_REQUESTS", "0"))
max_requests_jitter = max_requests // 3
