"""gunicorn settings of the web processes: ``gunicorn -c python:plugin.gunicorn_conf …``.

`rightsend web` takes the same; docs/operations.md says why these, with measurements. Threads, not
an event loop: an answer is a short computation around one round trip to Redis.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

from plugin.handover import handover

# prometheus-client chooses at import, by this, whether processes share their counts: nothing that
# imports it is imported up here
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

bind = os.environ.get("RIGHTSEND_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("RIGHTSEND_WORKERS", "2"))
threads = int(os.environ.get("RIGHTSEND_THREADS", "8"))
worker_class = "plugin.web_worker.Worker"
# A messaging tool keeps thousands of connections open between calls; longer than the usual
# keep-alive of load balancers (60 s), so that it is never we who close first.
keepalive = 75
worker_connections = 4000
backlog = 2048  # the kernel takes the smaller one of this and net.core.somaxconn
timeout = 60  # of a worker whose loop gives no sign of life
graceful_timeout = 25  # a segment preview may wait 20 s
# A worker is replaced now and then, not all at once: memory that leaks in a library stays bounded.
max_requests = 1_000_000
max_requests_jitter = 200_000
limit_request_line = 8190  # a customer id of 988 bytes is 2,964 when percent-encoded
limit_request_fields = 64
limit_request_field_size = 8190
# The C parser (gunicorn_h1c) takes 9 microseconds less for a call, but also folded lines and line
# feeds inside a header, which another server in front may read otherwise.
http_parser = "python"
forwarder_headers = ""  # no SCRIPT_NAME or PATH_INFO from a header, whoever sends it
secure_scheme_headers: dict[str, str] = {}  # links start with web.public_url
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  the heartbeat
sendfile = False  # it would wait for slow clients
control_socket_disable = True
accesslog = None  # the app writes one line a request, without addresses
errorlog = "-"
loglevel = "warning"

_FILES = 65_536  # a connection is an open file
_OTHER_FILES = 128  # libraries, columns, logs, the store's connections


def post_fork(_server: Any, worker: Any) -> None:
    """As many open files as the system allows, and fewer connections than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft != resource.RLIM_INFINITY:
        worker.worker_connections = min(worker.worker_connections, max(soft - _OTHER_FILES, 1))


def on_reload(server: Any) -> None:
    """The workers of now go on until those that are started next are ready."""
    handover.begin(server.worker_age)


def post_worker_init(worker: Any) -> None:
    """Lets the app see its server: how many calls wait, how many connections there are."""
    from plugin.runtime import runtime

    app = worker.app.wsgi()
    with app.app_context():
        found = runtime()
    found.pressure.of_gunicorn(worker)
    worker.quick = found.quick
    worker.answer_plain = app.wsgi_app.answer_plain
    found.metrics.gauge(
        "web_connections", "Open connections of the web workers", lambda: float(worker.nr_conns)
    )
    found.metrics.start()


def child_exit(_server: Any, worker: Any) -> None:
    """Folds the metrics of a gone worker into the files that stay."""
    folder = os.environ.get(MULTIPROCESS_VARIABLE)
    if folder:
        from plugin.metric_files import fold

        fold(Path(folder), worker.pid)
