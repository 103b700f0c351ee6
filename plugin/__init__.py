"""HTTP: content at send time, landing pages, events, segments, operations."""

import os

from scoring.store.keys import QUEUE_PREFIX

os.environ["RQ_KEY_PREFIX"] = QUEUE_PREFIX  # read once, when rq is first imported
