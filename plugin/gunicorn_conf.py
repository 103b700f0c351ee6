"""gunicorn settings of the web processes: ``gunicorn -c python:plugin.gunicorn_conf …``.

Threads, not an event loop: an answer is a short computation around one round trip to Redis. The
numbers may be overridden by the environment, which is how the supervisor passes the configuration.
"""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import multiprocess

bind = os.environ.get("RIGHTSEND_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("RIGHTSEND_WORKERS", "2"))
threads = int(os.environ.get("RIGHTSEND_THREADS", "8"))
worker_class = "gthread"
# A messaging tool keeps thousands of connections open between calls; longer than the usual
# keep-alive of load balancers (60 s), so that it is never we who close first.
keepalive = 75
worker_connections = 2000
backlog = 2048
timeout = 60  # of a worker that gives no sign of life; a segment preview may wait 20 s
graceful_timeout = 25
# A worker is replaced now and then, not all at once: memory that leaks in a library stays bounded.
max_requests = 1_000_000
max_requests_jitter = 200_000
limit_request_line = 8190  # a customer id of 988 bytes is 2,964 when percent-encoded
limit_request_fields = 64
limit_request_field_size = 8190
accesslog = None  # the app writes one line a request, without addresses
errorlog = "-"
loglevel = "warning"


def child_exit(server: Any, worker: Any) -> None:
    """Fold the metrics of a gone worker into the files that stay."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)
