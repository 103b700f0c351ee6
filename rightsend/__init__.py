"""The bootstrap: command line, processes, jobs, clock. The one room that may import all others."""

import os

from scoring.store.keys import QUEUE_PREFIX

os.environ["RQ_KEY_PREFIX"] = QUEUE_PREFIX  # read once, when rq is first imported
