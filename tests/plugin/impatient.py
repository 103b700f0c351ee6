"""gunicorn settings of tests: those of production, with a worker that waits for less long."""

import os
import resource

from plugin import web_connection, web_worker
from plugin.gunicorn_conf import *  # noqa: F403  gunicorn reads the names of this module

web_worker.HEAD_S = 1.0
web_connection.BODY_S = 1.0
web_worker.LINGER_S = 1.0
loglevel = "info"
worker_connections = int(os.environ.get("TEST_CONNECTIONS", worker_connections))  # noqa: F405
max_requests = int(os.environ.get("TEST_MAX_REQUESTS", "0"))
max_requests_jitter = max_requests // 3

if "TEST_FILES" in os.environ:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(os.environ["TEST_FILES"]),) * 2)
